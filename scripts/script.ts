/** How a script of the project begins and ends: strict options, an AbortSignal for ^C, errors and exit codes as the program has them. */
import { exitCodeOf, renderError } from "../lib/cli/errors.ts";
import { parse } from "../lib/cli/options.ts";
import type { CommandSpec, Positionals, Values } from "../lib/cli/spec.ts";
import { type Context, plainContext } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";

/** The project's folder, without a slash at the end. */
export const projectDirectory: string = import.meta.dirname!.replace(/\/scripts$/, "");

/** `$XDG_CACHE_HOME/bootc-ts`, or the same below `~/.cache`: what is costly to make or fetch; it can be deleted at any time. */
export function cacheDirectory(env: Readonly<Record<string, string>>): string {
  const base = env.XDG_CACHE_HOME || `${env.HOME || "/root"}/.cache`;
  return `${base}/bootc-ts`;
}

/** A context with the whole environment, for scripts that nothing interrupts. */
export function scriptContext(): Context {
  return plainContext(Deno.env.toObject());
}

/** A directory that is gone at the end of the block. */
export interface ScratchDirectory extends AsyncDisposable {
  readonly path: string;
}

/** Makes one in `dir`. @throws {UserError} naming `dir` where that cannot be */
export async function scratchDirectory(prefix: string, dir: string): Promise<ScratchDirectory> {
  const path = await Deno.makeTempDir({ dir, prefix }).catch((cause) => {
    throw new UserError(`Cannot make a scratch directory in "${dir}"`, {
      cause,
      hint: "Set TMPDIR to a directory that you may write to",
    });
  });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/**
 * Runs a script to its end. SIGINT, SIGTERM and SIGHUP abort its context: what it waits for fails, and its disposables clean up.
 * `--help` lists the options.
 */
export async function script<const S extends CommandSpec>(
  spec: S,
  body: (ctx: Context, flags: Values<S>, positionals: Positionals<S>) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  const abort = () => controller.abort();
  for (const signal of signals) Deno.addSignalListener(signal, abort);
  try {
    const parsed = parse(spec, Deno.args);
    if (parsed === "help") {
      console.log(
        [spec.summary, "", ...Object.entries(spec.flags).map(([key, flag]) => `  --${key}  ${flag.help}`)].join("\n"),
      );
      return;
    }
    const ctx = { ...scriptContext(), signal: controller.signal, note: (line: string) => console.error(line) };
    await body(ctx, parsed.flags as Values<S>, parsed.positionals as Positionals<S>);
  } catch (error) {
    await Deno.stderr.write(new TextEncoder().encode(renderError(error)));
    Deno.exitCode = exitCodeOf(error);
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, abort);
  }
}
