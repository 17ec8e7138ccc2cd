/** The root file system of the host that runs: what it takes to install over it. */
import { splitKernelArguments } from "../ostree/deployment.ts";
import type { Context } from "../sys/context.ts";
import { Interrupted, UserError } from "../sys/errors.ts";

const DASHES = "-".repeat(28);

/** How long somebody has to change their mind. */
export const WARNING_SECONDS = 20;

/** The host's root, seen from a container in the host's pid namespace too; another directory in a test. */
export const HOST_ROOT = "/proc/1/root/";

async function look(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    // Without the right to ask process 1, nothing on its file system can be written either.
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether a directory lies on the file system that the host runs from. */
export async function onHostRoot(path: string, hostRoot = HOST_ROOT): Promise<boolean> {
  const [host, own] = [await look(hostRoot), await look(path)];
  return host !== undefined && own !== undefined && host.dev === own.dev;
}

/**
 * Refuses a container that has processes of its own: the host's root could not be told from any other there.
 * @throws {UserError}
 */
export async function requireHostProcesses(containerEnv = "/run/.containerenv", hostRoot = HOST_ROOT): Promise<void> {
  if (!await look(containerEnv)) return;
  const [host, own] = [await look(hostRoot), await look("/")];
  if (host?.dev !== own?.dev || host?.ino !== own?.ino) return;
  throw new UserError("This command must be run with the podman --pid=host flag");
}

/**
 * Says what is about to happen, and waits for an interrupt.
 * @throws {Interrupted} when the signal is given in that time
 */
export async function warnOfHostRoot(ctx: Context, { seconds = WARNING_SECONDS } = {}): Promise<void> {
  ctx.note(DASHES);
  ctx.note("WARNING: This operation will OVERWRITE THE BOOTED HOST ROOT FILESYSTEM and is NOT REVERSIBLE.");
  ctx.note(`Waiting ${seconds}s to continue; interrupt (Control-C) to cancel.`);
  ctx.note(DASHES);
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      ctx.signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ctx.signal.aborted ? 0 : seconds * 1000);
    ctx.signal.addEventListener("abort", done);
  });
  if (ctx.signal.aborted) throw new Interrupted();
}

/** What a host's command line says of its root. */
export interface RootArguments {
  /** Value of root=. */
  readonly rootMountSpec: string;
  /** rootflags= and all that dracut reads: encrypted devices, volumes. */
  readonly rootKernelArguments: readonly string[];
}

/** Reads /proc/cmdline; pure. Undefined without root=. */
export function rootArguments(cmdline: string): RootArguments | undefined {
  const all = splitKernelArguments(cmdline.trim());
  const rootMountSpec = all.findLast((each) => each.startsWith("root="))?.slice("root=".length);
  if (!rootMountSpec) return undefined;
  return { rootMountSpec, rootKernelArguments: all.filter((each) => /^(?:rootflags=|rd\.)/.test(each)) };
}
