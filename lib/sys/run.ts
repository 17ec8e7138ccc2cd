/** The only place that starts a process (but for the image proxy's own spawn in `spawn.ts`). */
import type { Context } from "./context.ts";
import { Interrupted, throwIfInterrupted, ToolError, UserError } from "./errors.ts";

/** How a process is run; what is not given is inherited from the context. */
export interface RunOptions {
  /** Working directory. */
  readonly cwd?: string;
  /** Laid over the context's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes for its standard input; without them it is /dev/null. */
  readonly stdin?: Uint8Array<ArrayBuffer>;
}

/** Where a process's streams go, and whether it leads a process group that the context's signal is for ({@linkcode runGroup} sends it). */
type Streams = "captured" | "inherited" | "inherited by a group";

const STDERR_TAIL_BYTES = 2048;
const decoder = new TextDecoder();

function command(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions,
  streams: Streams,
): Deno.Command {
  const [program, ...args] = argv;
  const inherit = streams !== "captured";
  return new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...ctx.env, LC_ALL: "C.UTF-8", ...options.env },
    stdin: inherit ? "inherit" : options.stdin ? "piped" : "null",
    stdout: inherit ? "inherit" : "piped",
    stderr: inherit ? "inherit" : "piped",
    ...(streams === "inherited by a group" ? { detached: true } : { signal: ctx.signal }),
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
  if (cause instanceof Deno.errors.NotFound) return noProgram(program, cause);
  return new ToolError(`Cannot start "${program}"`, { cause });
}

function noProgram(program: string, cause?: unknown): UserError {
  return new UserError(`Cannot start "${program}": no such program`, {
    cause,
    hint: `Install the package that has ${program}`,
  });
}

/** As execvp(3) has it. */
const DEFAULT_PATH = "/bin:/usr/bin";

/**
 * Looks whether a program could be started, in the `PATH` of the context; nothing is run.
 * @throws {UserError} as starting it would
 */
export async function requireProgram(ctx: Context, program: string): Promise<void> {
  const path = ctx.env["PATH"] ?? DEFAULT_PATH;
  const candidates = program.includes("/") ? [program] : path.split(":").map((each) => `${each || "."}/${program}`);
  for (const candidate of candidates) {
    const info = await Deno.stat(candidate).catch(() => undefined);
    if (info?.isFile && ((info.mode ?? 0) & 0o111) !== 0) return;
  }
  throw noProgram(program);
}

async function output(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions,
): Promise<Deno.CommandOutput> {
  const child = start(ctx, argv, options, "captured");
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
  return (await start(ctx, argv, options, "inherited").status).code;
}

function start(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions,
  streams: Streams,
): Deno.ChildProcess {
  try {
    return command(ctx, argv, options, streams).spawn();
  } catch (error) {
    throw notStarted(argv[0], error);
  }
}

/**
 * Like {@linkcode runInherited} for a tool that starts others, such as make: the signal is for all of them, and they have ended when this
 * returns. They are in a session of their own, so that ^C at the terminal comes to them only by way of the signal.
 * @throws {ToolError} when it cannot be started
 */
export async function runGroup(
  ctx: Context,
  argv: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<number> {
  throwIfInterrupted(ctx.signal);
  const child = start(ctx, argv, options, "inherited by a group");
  const stop = () => tellGroup(child.pid, "SIGTERM");
  ctx.signal.addEventListener("abort", stop);
  const { code } = await child.status;
  ctx.signal.removeEventListener("abort", stop);
  if (ctx.signal.aborted) await groupEnded(child.pid);
  return code;
}

/** False where nobody is left. */
function tellGroup(leader: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(-leader, signal);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

const GROUP_POLL_MS = 20;
/** Time to clean up after SIGTERM. It is also what a container costs whose first process buries nobody's dead. */
const GROUP_GRACE_MS = 5000;

async function groupEnded(leader: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < GROUP_GRACE_MS; waitedMs += GROUP_POLL_MS) {
    // Only a question: nobody is stopped who would go on.
    if (!tellGroup(leader, "SIGCONT")) return;
    await new Promise((resolve) => setTimeout(resolve, GROUP_POLL_MS));
  }
  tellGroup(leader, "SIGKILL");
}
