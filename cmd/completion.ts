/** `bootc completion`: the script that completes this program's command lines in a shell. */
import { bashCompletion } from "../lib/cli/completion/bash.ts";
import { fishCompletion } from "../lib/cli/completion/fish.ts";
import { completionRoots } from "../lib/cli/completion/model.ts";
import { zshCompletion } from "../lib/cli/completion/zsh.ts";
import { UsageError } from "../lib/cli/errors.ts";
import { didYouMean } from "../lib/cli/suggest.ts";
import type { CommandContext, CommandSpec, Positionals, Values } from "../lib/cli/spec.ts";

const RENDERERS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
const SHELLS = Object.keys(RENDERERS);

export const spec = {
  summary: "Print the script that completes command lines in a shell",
  description: [
    "Packages install the script; without one, the shell can read it when it starts. It does not run bootc, so that a key press costs nothing.",
  ],
  positionals: [{ name: "shell", help: "The shell: bash, zsh or fish", complete: ["bash", "zsh", "fish"] }],
  flags: {},
  examples: [
    { command: "source <(bootc completion bash)", help: "In ~/.bashrc; and in ~/.zshrc, behind compinit, with zsh" },
    { command: "bootc completion fish | source", help: "In ~/.config/fish/config.fish" },
  ],
} as const satisfies CommandSpec;

export async function run(
  ctx: CommandContext,
  _flags: Values<typeof spec>,
  { shell }: Positionals<typeof spec>,
): Promise<void> {
  if (!isShell(shell)) {
    const nearest = didYouMean(shell, SHELLS);
    throw new UsageError(`Argument <SHELL> takes "bash", "zsh" or "fish", not "${shell}"`, {
      hint: nearest === undefined ? undefined : `Did you mean "${nearest}"?`,
    });
  }
  ctx.stdout.write(RENDERERS[shell](await completionRoots(ctx.program)));
}

function isShell(text: string): text is keyof typeof RENDERERS {
  return Object.hasOwn(RENDERERS, text);
}
