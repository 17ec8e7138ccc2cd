/** Completions for zsh: a file `_bootc` in `$fpath`, or read with `source`. */
import type { Completion } from "../spec.ts";
import { type CompletionNode, type CompletionOption, type CompletionPositional, nodesBelow } from "./model.ts";
import { quote } from "./quote.ts";

/** The whole script. */
export function zshCompletion(roots: readonly CompletionNode[]): string {
  const programs = roots.map(({ words }) => words.join(" "));
  return [
    `#compdef ${programs.join(" ")}`,
    `# zsh completion for bootc, as "bootc completion zsh" prints it: made from the commands, not written by hand.`,
    "",
    IMAGE,
    ...roots.flatMap((root) => [...nodesBelow(root)]).map(functionOf),
    "_bootc() {",
    "  case $service in",
    ...roots.map(({ words }) => `    ${words.join(" ")}) ${functionName(words)} ;;`),
    "  esac",
    "}",
    "",
    "if [[ $funcstack[1] == _bootc ]]; then",
    '  _bootc "$@"',
    "else",
    `  compdef _bootc ${programs.join(" ")}`,
    "fi",
    "",
  ].join("\n");
}

function functionName(words: readonly string[]): string {
  return `__${words.join("_")}`;
}

function functionOf(node: CompletionNode): string {
  return (node.commands.length === 0 ? commandFunction : groupFunction)(node);
}

function commandFunction({ words, options, positionals }: CompletionNode): string {
  const specs = [...options.map(optionSpec), ...positionals.map(positionalSpec)];
  return [
    `${functionName(words)}() {`,
    "  _arguments -s -S : \\",
    specs.map((spec) => `    ${spec}`).join(" \\\n"),
    "}",
    "",
  ].join("\n");
}

function groupFunction({ words, options, commands }: CompletionNode): string {
  const names = commands.map(({ words, summary }) => quote(`${words.at(-1)}:${escape(summary, ":\\")}`));
  return [
    `${functionName(words)}() {`,
    "  local curcontext=$curcontext state line",
    "  typeset -A opt_args",
    "  _arguments -C : \\",
    ...options.map((option) => `    ${optionSpec(option)} \\`),
    "    '1: :->command' \\",
    "    '*:: :->rest'",
    "  case $state in",
    "    command)",
    "      local -a commands=(",
    ...names.map((name) => `        ${name}`),
    "      )",
    "      _describe -t commands command commands",
    "      ;;",
    "    rest)",
    "      case $line[1] in",
    ...commands.map((child) =>
      `        ${[child.words.at(-1), ...child.aliases].join(" | ")}) ${functionName(child.words)} ;;`
    ),
    "      esac",
    "      ;;",
    "  esac",
    "}",
    "",
  ].join("\n");
}

function optionSpec({ long, short, help, value, repeated, excludes }: CompletionOption): string {
  const own = [...(short === undefined ? [] : [short]), long];
  const mark = value && repeated ? "*" : "";
  const excluded = [...(mark === "" ? own : []), ...excludes];
  const before = quote(`${excluded.length > 1 || excludes.length > 0 ? `(${excluded.join(" ")})` : ""}${mark}`);
  const names = own.map((name) => value ? `${name}${name === long ? "=" : "+"}` : name);
  const name = names.length === 1 ? names[0] : `{${names.join(",")}}`;
  const action = value ? `:${escape(value.metavar, ":\\")}:${actionOf(value.offers)}` : "";
  return `${before === "''" ? "" : before}${name}${quote(`[${escape(help, "[]:\\")}]${action}`)}`;
}

function positionalSpec({ help, offers, optional, repeated }: CompletionPositional): string {
  const start = repeated ? "*:" : optional ? "::" : ":";
  return quote(`${start}${escape(help, ":\\")}:${actionOf(offers)}`);
}

function actionOf(offers: Completion): string {
  if (typeof offers !== "string") return `(${offers.join(" ")})`;
  return { file: "_files", directory: "_files -/", image: "__bootc_paths", none: " " }[offers];
}

/** Puts a backslash before each of the letters. */
function escape(text: string, letters: string): string {
  return [...text].map((letter) => letters.includes(letter) ? `\\${letter}` : letter).join("");
}

const IMAGE = `# An image may be a path, also behind a transport.
__bootc_paths() {
  compset -P '*:'
  [[ $PREFIX == [./~]* && $PREFIX != //* ]] && _files
}
`;
