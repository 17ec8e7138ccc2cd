/** Waiting for the one lock a system root has, and saying who holds it. */
import type { Context } from "../sys/context.ts";
import { throwIfInterrupted, UserError } from "../sys/errors.ts";

/** How long to wait. */
export interface LockOptions {
  /** Five minutes without it. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 5 * 60 * 1000;
const RETRY_MS = 200;

/**
 * Tries until `attempt` says true. The first refusal is noted, so that nobody takes the waiting for a hang.
 * @throws {UserError} when the time is over
 * @throws {Interrupted} when the signal was given
 */
export async function waitForLock(
  ctx: Context,
  sysrootPath: string,
  attempt: () => boolean,
  options: LockOptions = {},
): Promise<void> {
  if (attempt()) return;
  const limit = performance.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const lockFile = `${sysrootPath === "/" ? "" : sysrootPath}/ostree/lock`;
  ctx.note(`Waiting for the lock of the system root: ${await describeHolder(lockFile)} has it`);
  while (performance.now() < limit) {
    await pause(ctx.signal, Math.min(RETRY_MS, limit - performance.now()));
    if (attempt()) return;
  }
  throw new UserError(`The system root "${sysrootPath}" is locked: ${await describeHolder(lockFile)} has it`, {
    hint: "Wait for it to end, then try again",
  });
}

/** Ends early when the signal is given. @throws {Interrupted} */
async function pause(signal: AbortSignal, ms: number): Promise<void> {
  throwIfInterrupted(signal);
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(0, ms));
  const wake = () => resolve();
  signal.addEventListener("abort", wake);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", wake);
  throwIfInterrupted(signal);
}

async function describeHolder(lockFile: string): Promise<string> {
  const pid = await lockHolder(lockFile);
  if (pid === undefined) return "another process";
  const name = (await readable(() => Deno.readTextFile(`/proc/${pid}/comm`)))?.trim();
  return name ? `process ${pid} ("${name}")` : `process ${pid}`;
}

/**
 * The process that has a lock on this file, as far as we may look. The kernel shows no owner for the locks libostree takes
 * (`/proc/locks` says -1), but each process's open files say which of them are locked.
 */
async function lockHolder(lockFile: string): Promise<number | undefined> {
  const path = await readable(() => Deno.realPath(lockFile));
  if (path === undefined) return undefined;
  for (const { name: pid } of await entries("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === Deno.pid) continue;
    for (const { name: fd } of await entries(`/proc/${pid}/fd`)) {
      if (await readable(() => Deno.readLink(`/proc/${pid}/fd/${fd}`)) !== path) continue;
      const info = await readable(() => Deno.readTextFile(`/proc/${pid}/fdinfo/${fd}`));
      if (info?.includes("\nlock:")) return Number(pid);
    }
  }
  return undefined;
}

async function entries(directory: string): Promise<Deno.DirEntry[]> {
  return await readable(() => Array.fromAsync(Deno.readDir(directory))) ?? [];
}

/** Other processes end while we look, or are not ours to look at. */
async function readable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const gone = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      (error as { code?: string }).code === "ESRCH";
    if (!gone) throw error;
    return undefined;
  }
}
