/** A mount namespace of our own: mounts made in it are seen by nobody else, and are gone with the process, whatever ends it. */
import type { Context } from "./context.ts";
import { Interrupted } from "./errors.ts";
import { runInherited } from "./run.ts";

/** A context that knows how this same command is started again. */
export interface SelfContext extends Context {
  readonly selfArgv: readonly [string, ...string[]];
}

/** In the environment of the run inside: the namespace that it came from. */
const OUTER = "BOOTC_OUTER_MOUNT_NAMESPACE";

/** The namespace of process 1; undefined where it may not be asked, as in some sandboxes. */
async function firstMountNamespace(): Promise<string | undefined> {
  try {
    return await Deno.readLink("/proc/1/ns/mnt");
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    return undefined;
  }
}

/**
 * Runs the program again in a mount namespace of its own, since threads forbid to enter one later. Gives that run's exit code; undefined
 * when this process is in one already, other than that of process 1, and is the place to go on.
 * @throws {Interrupted} when a signal ended that run
 */
export async function inOwnMountNamespace(ctx: SelfContext): Promise<number | undefined> {
  const own = await Deno.readLink("/proc/self/ns/mnt");
  const outer = ctx.env[OUTER] ?? await firstMountNamespace();
  if (outer !== undefined && outer !== own) return undefined;
  const code = await runInherited(ctx, [ctx.tools.unshare, "-m", "--", ...ctx.selfArgv], { env: { [OUTER]: own } });
  // Ended by our signal before it could listen to it, or by a second one: it has said nothing.
  if (code > 128 && code !== 130 && ctx.signal.aborted) throw new Interrupted();
  return code;
}

/**
 * An argv that runs another where the rest of the host sees the mounts that it makes: the same, or through `nsenter` where this process was
 * started in a mount namespace of its own (a service with `PrivateMounts=`).
 */
export async function inHostMountNamespace(
  argv: readonly [string, ...string[]],
): Promise<readonly [string, ...string[]]> {
  const first = await firstMountNamespace();
  if (first === undefined || first === await Deno.readLink("/proc/self/ns/mnt")) return argv;
  return ["nsenter", "--target=1", "--mount", "--root", "--wd", "--", ...argv];
}
