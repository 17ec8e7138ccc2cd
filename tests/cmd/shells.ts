/** Real shells, asked what they would offer behind a line. */

/** A shell that completions are made for. */
export type Shell = "bash" | "zsh" | "fish";

/** Whether a program is installed here; its tests are skipped, and counted as skipped, where it is not. */
export function hasTool(name: string): boolean {
  return ["/bin", "/usr/bin", "/usr/local/bin"].some((folder) => {
    try {
      return Deno.statSync(`${folder}/${name}`).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

/**
 * What a shell that has read the script offers behind `line`, sorted, in the directory `cwd`. bash leaves paths to readline, which only a
 * terminal has: where it would, the word is `@files` or `@directories`.
 */
export async function offered(shell: Shell, script: string, line: string, cwd: string): Promise<string[]> {
  const file = `${cwd}/${FILES[shell]}`;
  await Deno.writeTextFile(file, script);
  const lines = await ASK[shell](file, line, cwd);
  return [...new Set(lines.filter((word) => word !== "" && !word.endsWith(FILES[shell])))].sort();
}

/** zsh wants its own name for it, the others would take any. */
const FILES: Record<Shell, string> = { bash: "bootc.bash", zsh: "_bootc", fish: "bootc.fish" };

const ASK: Record<Shell, (file: string, line: string, cwd: string) => Promise<string[]>> = {
  async bash(file, line, cwd) {
    // As readline takes a line apart, with the default COMP_WORDBREAKS.
    const words = line.split(/([=:]|\s+)/).filter((piece) => piece.trim() !== "");
    if (/\s$/.test(line)) words.push("");
    return await linesOf(["bash", "--norc", "-c", BASH_DRIVER, "bash", file, line, ...words], cwd);
  },
  async zsh(_file, line, cwd) {
    const lines = await linesOf(["zsh", "-f", "-c", ZSH_DRIVER, "zsh", line], cwd);
    return lines.flatMap((each) => each.replaceAll("\r", "").split("offered:").slice(1));
  },
  async fish(file, line, cwd) {
    const lines = await linesOf(
      ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", file, line],
      cwd,
    );
    return lines.map((each) => each.split("\t")[0]!);
  },
};

async function linesOf([program, ...args]: [string, ...string[]], cwd: string): Promise<string[]> {
  const env = { PATH: "/usr/bin:/bin", HOME: cwd, TERM: "dumb", LC_ALL: "C.UTF-8" };
  const signal = AbortSignal.timeout(30_000);
  const output = await new Deno.Command(program, { args, cwd, env, clearEnv: true, stdin: "null", signal }).output();
  const stderr = new TextDecoder().decode(output.stderr);
  if (!output.success || stderr !== "") throw new Error(`${program} failed with ${output.code}: ${stderr}`);
  return new TextDecoder().decode(output.stdout).split("\n");
}

const BASH_DRIVER = `
source "$1"
compopt() { case $2 in default) echo @files ;; dirnames) echo @directories ;; esac; }
COMP_LINE=$2 COMP_POINT=\${#2} COMP_WORDS=("\${@:3}") COMP_CWORD=$(($# - 3))
_bootc
printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** Completion of zsh works in its line editor only, which needs a terminal: zpty is one. The folder of the script is in $fpath. */
const ZSH_INNER = `
PROMPT=
fpath=($PWD $fpath)
autoload -Uz compinit
compinit -D -u
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -A found "$@"
  local each
  for each in $found; do print -r -- "offered:$each"; done
  builtin compadd "$@"
}
finish() { print; exit }
comppostfuncs=(finish)
bindkey '^I' complete-word
print READY
`;

const ZSH_DRIVER = `
zmodload zsh/zpty
inner=$(<<'END'
${ZSH_INNER}
END
)
print -r -- $inner > inner.zsh
zpty shell zsh -f -i
zpty -w shell "source ./inner.zsh"
zpty -r shell line '*READY*'
zpty -n -w shell "$1"$'\\t'
while zpty -r shell line; do print -r -- "$line"; done
`;
