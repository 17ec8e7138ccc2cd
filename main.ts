/** The edge: argv, environment, signals, the real streams, and the exit code. The same program runs from source and compiled. */
import { program } from "./cmd/tree.ts";
import { type CliContext, writerOver } from "./lib/cli/context.ts";
import { printable } from "./lib/cli/printable.ts";
import { runProgram } from "./lib/cli/program.ts";
import { systemTools } from "./lib/sys/context.ts";
import { Interrupted } from "./lib/sys/errors.ts";

/** A Ctrl-C reaches a program and its parent, which passes it on: signals this close to the first are the same request. */
const SAME_REQUEST_MS = 500;

/** A first signal asks the work to stop and clean up; a later one finds no listener and ends the program at once. */
function signalFromOutside(): AbortSignal {
  const controller = new AbortController();
  const signals = ["SIGINT", "SIGTERM"] as const;
  const stop = () => {
    if (controller.signal.aborted) return;
    controller.abort(new Interrupted());
    const forget = () => signals.forEach((each) => Deno.removeSignalListener(each, stop));
    Deno.unrefTimer(setTimeout(forget, SAME_REQUEST_MS));
  };
  for (const each of signals) Deno.addSignalListener(each, stop);
  return controller.signal;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch (error) {
    // Neither stdin, stdout nor stderr is a terminal.
    if (error instanceof Error) return 80;
    throw error;
  }
}

// What Deno itself does not tell; the types of Node are no dependency of ours.
const { argv0 } = (globalThis as unknown as { process: { argv0: string } }).process;

const stderr = writerOver(Deno.stderr, "standard error");

const ctx: CliContext = {
  signal: signalFromOutside(),
  env: Deno.env.toObject(),
  now: () => new Date(),
  tools: systemTools,
  note: (line) => stderr.write(`${printable(line)}\n`),
  stdout: writerOver(Deno.stdout, "standard output"),
  stderr,
  stdoutIsTerminal: Deno.stdout.isTerminal(),
  stderrIsTerminal: Deno.stderr.isTerminal(),
  columns,
  readStdin: () => new Response(Deno.stdin.readable).bytes(),
  argv0,
  euid: Deno.uid() ?? 0,
  selfArgv: Deno.build.standalone
    ? [Deno.execPath()]
    : [Deno.execPath(), "run", "-A", "--quiet", import.meta.filename!],
};

Deno.exitCode = await runProgram(program, Deno.args, ctx);
