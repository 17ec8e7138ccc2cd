/** The only place that starts a process (but for the image proxy's own spawn in `spawn.ts`). */
import type { Context } from "./context.ts";
import { Interrupted, ToolError, UserError } from "./errors.ts";

/** How a process is run; what is not given is inherited from the context. */
export interface RunOptions {
  /** Working directory. */
  readonly cwd?: string;
  /** Laid over the context's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes for its standard input; without them it is /dev/null. */
  readonly stdin?: Uint8Array<ArrayBuffer>;
}

const STDERR_TAIL_BYTES = 2048;
const decoder = new TextDecoder();

function command(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions,
  inherit: boolean,
): Deno.Command {
  const [program, ...args] = argv;
  return new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...ctx.env, LC_ALL: "C.UTF-8", ...options.env },
    stdin: inherit ? "inherit" : options.stdin ? "piped" : "null",
    stdout: inherit ? "inherit" : "piped",
    stderr: inherit ? "inherit" : "piped",
    signal: ctx.signal,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
}

/** A command line as a person would type it again. */
export function shellWords(argv: readonly string[]): string {
  return argv.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** The last 2 KiB of what a tool said, as one trimmed text. */
export function tail(stderr: Uint8Array): string {
  return decoder.decode(stderr.subarray(Math.max(0, stderr.length - STDERR_TAIL_BYTES))).trim();
}

function notStarted(program: string, cause: unknown): Error {
  if (cause instanceof Deno.errors.NotFound) {
    return new UserError(`Cannot start "${program}": no such program`, {
      cause,
      hint: `Install the package that has ${program}`,
    });
  }
  return new ToolError(`Cannot start "${program}"`, { cause });
}

async function output(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions,
): Promise<Deno.CommandOutput> {
  let child: Deno.ChildProcess;
  try {
    child = command(ctx, argv, options, false).spawn();
  } catch (error) {
    throw notStarted(argv[0], error);
  }
  const feed = async () => {
    if (!options.stdin) return;
    const writer = child.stdin.getWriter();
    try {
      await writer.write(options.stdin);
      await writer.close();
    } catch (error) {
      // A child that ends without reading says why in its own exit status.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  };
  const [result] = await Promise.all([child.output(), feed()]);
  if (ctx.signal.aborted) throw new Interrupted();
  return result;
}

function failed(argv: readonly string[], result: Deno.CommandStatus, stderr: string): ToolError {
  const how = result.signal ? `was killed by ${result.signal}` : `failed with exit code ${result.code}`;
  const said = stderr ? `: ${stderr}` : "";
  return new ToolError(`"${shellWords(argv)}" ${how}${said}`, { exitCode: result.signal ? undefined : result.code });
}

/**
 * Runs a tool for its effect; stdout is dropped, stderr kept for the error.
 * @throws {ToolError} when it fails
 */
export async function run(ctx: Context, argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<void> {
  const result = await output(ctx, argv, options);
  if (!result.success) throw failed(argv, result, tail(result.stderr));
}

/**
 * Runs a tool and gives what it wrote to stdout, as text.
 * @throws {ToolError} when it fails
 */
export async function capture(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<string> {
  const result = await output(ctx, argv, options);
  if (!result.success) throw failed(argv, result, tail(result.stderr));
  return decoder.decode(result.stdout);
}

/**
 * Runs a tool on the caller's own streams (an editor, a re-execution of ourselves) and gives its exit code.
 * @throws {ToolError} when it cannot be started
 */
export async function runInherited(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<number> {
  let child: Deno.ChildProcess;
  try {
    child = command(ctx, argv, options, true).spawn();
  } catch (error) {
    throw notStarted(argv[0], error);
  }
  return (await child.status).code;
}
