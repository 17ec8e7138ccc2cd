/** Runs the build tools of distributions, which have much to say. */
import type { Context } from "../../lib/sys/context.ts";
import { throwIfInterrupted, UserError } from "../../lib/sys/errors.ts";
import { capture, runGroup, type RunOptions, shellWords } from "../../lib/sys/run.ts";

/**
 * Runs a build tool; all that it says goes to our stderr, as our stdout is for the paths of what was made.
 * @throws {UserError} when it fails; it has said why
 */
export async function build(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<void> {
  const code = await runGroup(ctx, ["sh", "-c", 'exec "$0" "$@" >&2', ...argv], options);
  throwIfInterrupted(ctx.signal);
  if (code !== 0) throw new UserError(`"${shellWords(argv)}" failed with exit code ${code}; the lines above say why`);
}

/** Finds out before the long work whether a build tool is there. @throws {UserError} when it is not */
export async function requireTool(ctx: Context, program: string): Promise<void> {
  await capture(ctx, [program, "--version"]);
}
