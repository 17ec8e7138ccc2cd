/** An installation into mounted file systems: what goes before it, what is removed after it, and what a failure leaves. */
import type { Context } from "../sys/context.ts";
import { Interrupted, UserError } from "../sys/errors.ts";
import { markGrubParent } from "./boot/grub_parent.ts";
import { finalize } from "./finalize.ts";
import { install, type Installed, type InstallRequest } from "./install.ts";
import type { InspectedTarget, Replace } from "./mounted_target.ts";
import { leaveCleanUp, removeOldBoot, removeOldRoot } from "./old_system.ts";
import { onTarget } from "./request.ts";

/** How it goes. */
export interface OntoMounted {
  /** The target as the operator named it. */
  readonly name: string;
  readonly replace: Replace | undefined;
  /** The first boot removes what is left of the old system. */
  readonly cleanUp?: boolean;
  /** Leaves the file system as `bootc install finalize` does; not beside another system, where that is in use. */
  readonly finalize: boolean;
}

/**
 * Installs, and only then removes what was there. Commit point: that of `install()`. A failure before it leaves a system that was there as it
 * was, and bootable, with what was fetched in /ostree for the next attempt.
 * @throws {UserError}
 */
export async function installOnto(
  ctx: Context,
  target: InspectedTarget,
  request: InstallRequest,
  how: OntoMounted,
): Promise<Installed> {
  if (how.replace === undefined) {
    return await onTarget({ name: how.name, again: "empty it and run this again" }, async () => {
      const installed = await install(ctx, target, request);
      if (how.finalize) await finalize(ctx, target.root);
      return installed;
    });
  }
  const boot = `${target.root}/boot`;
  const entries = await oldEntries(boot);
  let committing = false;
  const onLoader = async (loader: Installed["bootLoader"]) => {
    if (loader !== "none") await markGrubParent(boot, target.grubParent ?? "");
    // The word for the first boot comes first: without the new loader nobody reads it.
    if (how.cleanUp) await leaveCleanUp(target.root);
    committing = true;
  };
  let installed: Installed;
  try {
    installed = await install(ctx, target, { ...request, onLoader });
  } catch (cause) {
    // A loader that reads such entries starts the new system as soon as libostree has written its own.
    const swapped = entries.length > 0 && (await oldEntries(boot)).length < entries.length;
    throw failure(cause, how.name, committing || swapped);
  }
  await removeOld(ctx, target, installed, how);
  return installed;
}

/** Boot entries in the directory that others than libostree write to. */
async function oldEntries(boot: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(`${boot}/loader/entries`), ({ name }) => name).catch(() => []);
  return names.filter((name) => name.endsWith(".conf") && !name.startsWith("ostree-"));
}

function failure(cause: unknown, name: string, committing: boolean): unknown {
  if (cause instanceof Interrupted && !committing) return cause;
  const known = cause instanceof UserError ? cause.hint : undefined;
  if (!committing) {
    return new UserError(`Cannot install beside the system on "${name}", which boots as before`, {
      cause,
      hint: known ?? "What was fetched is kept in its /ostree for the next attempt",
    });
  }
  return new UserError(`Cannot finish the installation on "${name}"`, {
    cause,
    hint: `${known ? `${known}; then run` : "Run"} this again before it is rebooted: neither system may boot now`,
  });
}

async function removeOld(
  ctx: Context,
  target: InspectedTarget,
  installed: Installed,
  { replace, finalize: wanted }: OntoMounted,
): Promise<void> {
  if (installed.bootLoader !== "none") {
    await removeOldBoot(ctx, target.root, {
      grub: target.grubParent === "/bootc" ? "bootc" : "grub",
      esp: target.esp?.kind === "mounted" ? target.esp.path : undefined,
    });
  }
  if (replace !== "wipe") return;
  await removeOldRoot(ctx, target.root);
  if (wanted) await finalize(ctx, target.root);
}
