/** Completions for bash 4.4 or later; bash-completion need not be installed. */
import type { Completion } from "../spec.ts";
import { type CompletionNode, nodesBelow, typedWords } from "./model.ts";
import { quote } from "./quote.ts";

/** A label of `case`, and the one line behind it. */
type Row = readonly [label: string, line: string];

/** The whole script. */
export function bashCompletion(roots: readonly CompletionNode[]): string {
  const nodes = roots.flatMap((root) => [...nodesBelow(root)]);
  return [
    HEAD,
    "# Finds a command below $path and moves there.",
    lookup("_bootc_enter", '"$path $1"', nodes.flatMap(enterRow)),
    "# Sets what may stand behind $path: $commands and $options.",
    lookup("_bootc_words", '"$path"', nodes.map(wordsRow)),
    "# Sets what the value of an option of $path ($1), or its argument ($1 is 1, 2, ...), may be: $offers.",
    lookup("_bootc_offers", '"$path $1"', nodes.flatMap(offersRows)),
    BODY,
    `complete -F _bootc ${roots.map(({ words }) => words.join(" ")).join(" ")}`,
    "",
  ].join("\n");
}

function lookup(name: string, subject: string, rows: readonly Row[]): string {
  return [
    `${name}() {`,
    `  case ${subject} in`,
    ...rows.map(([label, line]) => `    ${label}) ${line} ;;`),
    "    *) return 1 ;;",
    "  esac",
    "}",
    "",
  ].join("\n");
}

function enterRow(node: CompletionNode): Row[] {
  if (node.words.length === 1) return [];
  return [[typedWords(node).map(quote).join(" | "), `path=${quote(node.words.join(" "))}`]];
}

function wordsRow({ words, commands, options }: CompletionNode): Row {
  const names = commands.map((command) => command.words.at(-1)!);
  const typed = options.flatMap(({ short, long }) => short === undefined ? [long] : [short, long]);
  return [quote(words.join(" ")), `commands=${quote(names.join(" "))} options=${quote(typed.join(" "))}`];
}

function offersRows({ words, options, positionals }: CompletionNode): Row[] {
  const path = words.join(" ");
  const valued = options.flatMap(({ short, long, value }): Row[] => {
    if (!value) return [];
    const labels = [long, ...(short === undefined ? [] : [short])].map((name) => quote(`${path} ${name}`));
    return [[labels.join(" | "), offersLine(value.offers)]];
  });
  const numbered = positionals.map(({ offers, repeated }, index): Row => {
    const label = repeated ? `${quote(`${path} `)}[0-9]*` : quote(`${path} ${index + 1}`);
    return [label, offersLine(offers)];
  });
  return [...valued, ...numbered];
}

function offersLine(offers: Completion): string {
  return `offers=${typeof offers === "string" ? `@${offers}` : quote(offers.join(" "))}`;
}

const HEAD =
  `# bash completion for bootc, as "bootc completion bash" prints it: made from the commands, not written by hand.
`;

// COMP_WORDS splits at "=" and ":" too; what is not apart in COMP_LINE belongs together.
const BODY = `_bootc() {
  local IFS=$' \\t\\n' line=$COMP_LINE rest piece words=()
  for piece in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    rest=\${line#"\${line%%[![:space:]]*}"}
    if [[ \${#words[@]} -gt 0 && $rest == "$line" && -n $line ]]; then
      words[-1]+=$piece
    else
      words+=("$piece")
    fi
    line=\${rest#"$piece"}
  done

  local cur=\${words[-1]} path=\${words[0]##*/} number=1 offers= commands= options= prefix= ended= word at
  local image_path=$'^["\\']?([a-z-]+:)*([.~]|/([^/]|$))'
  for ((at = 1; at < \${#words[@]} - 1; at++)); do
    word=\${words[at]}
    if [[ $word == -- && -z $ended ]]; then
      ended=1
    elif [[ $word == -* && -z $ended ]]; then
      # Its value is the next word, which may be the one to complete.
      if [[ $word != *=* ]] && _bootc_offers "$word"; then ((++at)); fi
    elif ((number > 1)) || ! _bootc_enter "$word"; then
      ((++number))
    fi
  done

  offers=
  COMPREPLY=()
  _bootc_words || return
  if ((at == \${#words[@]})); then
    _bootc_offers "$word"
  elif [[ $cur == --*=* && -z $ended ]]; then
    _bootc_offers "\${cur%%=*}" || return
    # Where "=" splits no words, the answer must repeat what stands before it.
    if [[ \${COMP_WORDS[COMP_CWORD]} == --* ]]; then prefix=\${cur%%=*}=; fi
    cur=\${cur#*=}
  elif [[ $cur == -* && -z $ended ]]; then
    offers=$options
  elif [[ -n $commands ]]; then
    if ((number == 1)); then offers=$commands; fi
  elif ! _bootc_offers "$number" && [[ -z $cur && -z $ended ]]; then
    offers=$options
  fi
  case $offers in
    # readline completes paths itself, with its own quoting.
    @file) compopt -o default ;;
    @directory) compopt -o dirnames ;;
    @image) if [[ $cur =~ $image_path ]]; then compopt -o default; fi ;;
    @none) ;;
    *) mapfile -t COMPREPLY < <(compgen -P "$prefix" -W "$offers" -- "$cur") ;;
  esac
}
`;
