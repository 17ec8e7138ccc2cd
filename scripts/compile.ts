/**
 * Makes the executable: `deno task compile [--target x86_64-unknown-linux-gnu|aarch64-unknown-linux-gnu] [--output FILE]`.
 *
 * The same sources give the same bytes, wherever they lie. What was built is run once (`--version`), because nothing else checks that
 * denort and Deno fit together; a program for another processor is not.
 */
import { type Context, plainContext } from "../lib/sys/context.ts";
import { throwIfInterrupted, UserError } from "../lib/sys/errors.ts";
import { capture, runInherited } from "../lib/sys/run.ts";
import { denortPath } from "./denort.ts";
import { type Arch, hostArch } from "./wheel.ts";
import { copyProgram } from "./program_files.ts";
import { projectDirectory, scratchDirectory, script } from "./script.ts";

const TARGETS: Record<Arch, string> = {
  x64: "x86_64-unknown-linux-gnu",
  arm64: "aarch64-unknown-linux-gnu",
};

/** What is compiled into what. */
export interface CompileOptions {
  /** The main module, relative to the project's folder. */
  readonly main: string;
  readonly output: string;
  readonly arch: Arch;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * The denort that is embedded: `DENORT_BIN` of the environment, else that of an unpacked vendor archive, else the one in the cache.
 * @throws {UserError} naming both ways to get one
 */
export async function findDenort(
  env: Readonly<Record<string, string>>,
  arch: Arch,
  directory: string = projectDirectory,
): Promise<string> {
  const named = env.DENORT_BIN;
  if (named) {
    if (await isFile(named)) return named;
    throw new UserError(`DENORT_BIN names "${named}", which is no file`);
  }
  for (const path of [`${directory}/vendor/cache/denort-${arch}`, denortPath(env, arch)]) {
    if (await isFile(path)) return path;
  }
  throw new UserError(`No denort for ${TARGETS[arch]} is at hand, the runtime that goes into the executable`, {
    hint: `Set DENORT_BIN to a denort of Deno ${Deno.version.deno}, or fetch one with ` +
      (arch === hostArch ? `"sh scripts/setup.sh"` : `"deno run -A scripts/denort.ts --arch ${arch}"`),
  });
}

/** The command line of a compilation; pure. */
export function compileArgv(options: CompileOptions): [string, ...string[]] {
  // deno-fmt-ignore
  return [
    Deno.execPath(), "compile", "--quiet", "--allow-all",
    // Else the program keeps a V8 cache under a guessable name in $TMPDIR: a door for local users into a program that root runs.
    "--no-code-cache",
    // A small young generation: 1 to 6 MB less memory, no time lost.
    "--v8-flags=--max-semi-space-size=1",
    "--target", TARGETS[options.arch],
    "--output", options.output,
    options.main,
  ];
}

/**
 * Compiles one program.
 * @throws {UserError} when `deno compile` fails; it has said why on stderr
 */
export async function compile(ctx: Context, options: CompileOptions): Promise<void> {
  const denort = await findDenort(ctx.env, options.arch);
  await using copy = await scratchDirectory("bootc-compile-", ctx.env.TMPDIR || "/tmp");
  await copyProgram(ctx, projectDirectory, options.main, copy.path);
  // On our own streams: a type error is best read as Deno prints it.
  const code = await runInherited(ctx, compileArgv(options), { cwd: copy.path, env: { DENORT_BIN: denort } });
  throwIfInterrupted(ctx.signal);
  if (code !== 0) throw new UserError(`deno compile could not make "${options.output}"`);
}

const spec = {
  summary: "Make the executable",
  positionals: [],
  flags: {
    target: {
      kind: "enum",
      values: ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"],
      default: TARGETS[hostArch],
      help: "Machine that it is for",
    },
    output: { kind: "string", default: "bootc", help: "File to write", complete: "file" },
  },
} as const;

if (import.meta.main) {
  await script(spec, async (ctx, flags) => {
    if (flags.output === "") {
      throw new UserError("The executable has no name", { hint: "Give one to --output" });
    }
    const arch: Arch = flags.target === TARGETS.x64 ? "x64" : "arm64";
    const output = flags.output.startsWith("/") ? flags.output : `${Deno.cwd()}/${flags.output}`;
    await compile(ctx, { main: "main.ts", output, arch });
    const size = `${((await Deno.stat(output)).size / 1e6).toFixed(1)} MB`;
    if (arch !== hostArch) {
      console.error(`${output}: ${size} for ${flags.target}, not run (this machine is another)`);
      return;
    }
    // An empty environment: the program must need nothing of it.
    const version = await capture(plainContext({}), [output, "--version"]);
    console.error(`${output}: ${size}, says "${version.trim()}"`);
  });
}
