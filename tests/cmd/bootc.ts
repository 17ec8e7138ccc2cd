/**
 * Runs whole command lines. In this process; or, with BOOTC=PATH in the environment, by that executable, so that the same tests judge the
 * compiled program.
 */
import { program as realProgram } from "../../cmd/tree.ts";
import { type CliContext, writerOver } from "../../lib/cli/context.ts";
import { type Program, runProgram } from "../../lib/cli/program.ts";
import { plainContext } from "../../lib/sys/context.ts";
import "../libraries.ts";
import { tempDir } from "../temp.ts";

const ROOT = new URL("../../", import.meta.url);
const MAIN = decodeURIComponent(new URL("main.ts", ROOT).pathname);

/** What a command line gave. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command line is given beside its words. */
export interface BootcOptions {
  /** The whole environment, beside PATH, HOME and TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** The name that the program is called by. */
  readonly argv0?: string;
  /** Who calls; without it whoever runs the tests. */
  readonly euid?: number;
  /** Parts of the context (tools, clock, signal, terminal); they only exist in process, so BOOTC is not looked at. */
  readonly ctx?: Partial<CliContext>;
}

/** Runs `bootc WORDS...`. */
export function bootc(...words: string[]): Promise<Outcome> {
  return bootcWith({}, ...words);
}

/** Runs `bootc WORDS...` with an environment, standard input or name of its own. */
export function bootcWith(options: BootcOptions, ...words: string[]): Promise<Outcome> {
  const executable = Deno.env.get("BOOTC");
  if (executable === undefined || options.ctx) return runInProcess(realProgram, words, options);
  return runExecutable(decodeURIComponent(new URL(executable, ROOT).pathname), words, options);
}

/** Runs a command line of any program made of a tree, in this process. */
export async function runInProcess(program: Program, words: string[], options: BootcOptions = {}): Promise<Outcome> {
  const [stdout, stderr] = [new Captured(), new Captured()];
  const toStderr = writerOver(stderr, "standard error");
  const code = await runProgram(program, words, {
    ...plainContext(environment(options)),
    note: (line) => toStderr.write(`${line}\n`),
    stdout: writerOver(stdout, "standard output"),
    stderr: toStderr,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: () => 80,
    readStdin: () => Promise.resolve(new TextEncoder().encode(options.stdin ?? "")),
    argv0: options.argv0 ?? "bootc",
    euid: options.euid ?? Deno.uid() ?? 0,
    selfArgv: [Deno.execPath(), "run", "-A", "--quiet", MAIN],
    ...options.ctx,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** Collects what is written. */
export class Captured {
  readonly #chunks: Uint8Array[] = [];

  writeSync(bytes: Uint8Array): number {
    this.#chunks.push(bytes.slice());
    return bytes.length;
  }

  text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
  }
}

function environment({ env }: BootcOptions): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR", "OSTREE_SYSROOT_DEBUG"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...env };
}

async function runExecutable(path: string, words: string[], options: BootcOptions): Promise<Outcome> {
  const { stdin = "", argv0, euid } = options;
  await using tmp = await tempDir();
  await Deno.chmod(tmp.path, 0o755);
  const called = argv0 === undefined ? path : `${tmp.path}/${argv0.slice(argv0.lastIndexOf("/") + 1)}`;
  if (called !== path) await Deno.symlink(path, called);
  const child = new Deno.Command(called, {
    args: words,
    clearEnv: true,
    env: environment(options),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    // Who is not root already is anyone.
    ...(euid === undefined || Deno.uid() !== 0 ? {} : { uid: euid, gid: euid }),
  }).spawn();
  const feed = async () => {
    const writer = child.stdin.getWriter();
    try {
      await writer.write(new TextEncoder().encode(stdin));
      await writer.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  };
  const [output] = await Promise.all([child.output(), feed()]);
  const decoder = new TextDecoder();
  return { code: output.code, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
}
