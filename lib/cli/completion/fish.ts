/** Completions for fish 3 or later. */
import type { Completion } from "../spec.ts";
import { type CompletionNode, type CompletionOption, nodesBelow, typedWords } from "./model.ts";

/** The whole script. */
export function fishCompletion(roots: readonly CompletionNode[]): string {
  const nodes = roots.flatMap((root) => [...nodesBelow(root)]);
  const groups = nodes.filter(({ commands }) => commands.length > 0).map(({ words }) => quote(words.join(" ")));
  return [
    `# fish completion for bootc, as "bootc completion fish" prints it: made from the commands, not written by hand.`,
    "",
    "# Whether the words before the cursor lead to this command.",
    "function __bootc_at",
    "    set -l words (commandline -opc)",
    "    set -l path (string replace -r '.*/' '' -- $words[1])",
    "    set -e words[1]",
    "    for word in $words",
    "        string match -q -- '-*' $word; and continue",
    '        switch "$path $word"',
    ...nodes.flatMap(enterLines),
    "            case '*'",
    "                # An argument behind a command, or a command that there is not.",
    `                contains -- "$path" ${groups.join(" ")}; and return 1`,
    "                break",
    "        end",
    "    end",
    '    test "$path" = "$argv"',
    "end",
    "",
    "# Whether an image is being typed that is a path.",
    "function __bootc_path",
    "    string match -qr '^([a-z-]+:)*([.~]|/([^/]|$))' -- (commandline -ct)",
    "end",
    "",
    ...roots.map(({ words }) => `complete -c ${words[0]} -f`),
    ...nodes.flatMap(entries),
    "",
  ].join("\n");
}

function enterLines(node: CompletionNode): string[] {
  if (node.words.length === 1) return [];
  return [
    `            case ${typedWords(node).map(quote).join(" ")}`,
    `                set path ${quote(node.words.join(" "))}`,
  ];
}

function entries(node: CompletionNode): string[] {
  const start = (more = "") => `complete -c ${node.words[0]} -n ${quote(`__bootc_at ${node.words.join(" ")}${more}`)}`;
  return [
    ...node.commands.map(({ words, summary }) => `${start()} -a ${words.at(-1)} -d ${quote(summary)}`),
    ...node.positionals.flatMap(({ help, offers }) => {
      if (offers === "none") return [];
      const condition = offers === "image" ? start("; and __bootc_path") : start();
      return [`${condition} ${offersArgument(offers)} -d ${quote(help)}`];
    }),
    ...node.options.map((option) => `${start()} ${optionArgument(option)} -d ${quote(option.help)}`),
  ];
}

function optionArgument({ short, long, value }: CompletionOption): string {
  const names = `${short === undefined ? "" : `-s ${short.slice(1)} `}-l ${long.slice(2)}`;
  if (!value) return names;
  // -r: the next word is its value; -x: and no file.
  const paths = value.offers === "file" || value.offers === "image";
  return `${names} ${paths ? "-r" : "-x"} ${offersArgument(value.offers)}`.trimEnd();
}

function offersArgument(offers: Completion): string {
  // A tab, and no description: that of the option would stand beside each of them.
  if (typeof offers !== "string") return `-a "${offers.map((word) => `${word}\\t''`).join(" ")}"`;
  return { file: "-F", image: "-F", directory: "-a '(__fish_complete_directories)'", none: "" }[offers];
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}
