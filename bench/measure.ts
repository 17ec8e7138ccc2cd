/** Runs a command and says how long it took and how much memory it had at most. */
import { UserError } from "../lib/sys/errors.ts";
import { type Context } from "../lib/sys/context.ts";
import { shellWords, tail } from "../lib/sys/run.ts";

/** One run. */
export interface Measured {
  readonly seconds: number;
  /** ru_maxrss of the process, or of the largest child it waited for (skopeo) where that is larger, in MiB. */
  readonly maxRssMiB: number;
  /** User and system time, children included. */
  readonly cpuSeconds: number;
}

/**
 * wait4() gives the resources of exactly this child, and its peak counts from exec: measured from here it would start with Deno's own size,
 * since a process inherits the peak of what it was forked from.
 */
const WRAPPER = `
import os, sys, time, json
started = time.monotonic()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.monotonic() - started
json.dump({"seconds": seconds, "maxRssMiB": usage.ru_maxrss / 1024, "cpuSeconds": usage.ru_utime + usage.ru_stime}, open(sys.argv[1], "w"))
sys.exit(os.waitstatus_to_exitcode(status) and 1)
`;

/** Runs a command to its end. @throws {UserError} with the end of its stderr when it fails */
export async function measure(
  ctx: Context,
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const report = await Deno.makeTempFile({ prefix: "bench-" });
  try {
    const child = new Deno.Command("python3", {
      args: ["-I", "-S", "-c", WRAPPER, report, ...argv],
      env: { ...ctx.env, ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal: ctx.signal,
    });
    const { success, stderr } = await child.output();
    ctx.signal.throwIfAborted();
    if (!success) throw new UserError(`"${shellWords(argv)}" failed: ${tail(stderr)}`);
    return JSON.parse(await Deno.readTextFile(report));
  } finally {
    await Deno.remove(report);
  }
}

/** The best of several runs: least time, and the most memory that any of them had. */
export function best(runs: readonly Measured[]): Measured {
  return {
    seconds: Math.min(...runs.map((each) => each.seconds)),
    maxRssMiB: Math.max(...runs.map((each) => each.maxRssMiB)),
    cpuSeconds: Math.min(...runs.map((each) => each.cpuSeconds)),
  };
}
