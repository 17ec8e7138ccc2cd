/** Restarting user space alone into another deployment, while the kernel runs on (row U24). */
import type { Deployment } from "../ostree/deployment.ts";
import { GlibError } from "../ostree/glib.ts";
import { knowsSoftReboot } from "../ostree/sysroot.ts";
import type { Context } from "../sys/context.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { exists } from "../sys/exists.ts";
import { inHostMountNamespace } from "../sys/mount_namespace.ts";
import { run } from "../sys/run.ts";
import type { HostSession } from "./session.ts";

/** How much a soft reboot is wanted. */
export type SoftReboot = "required" | "auto";

/** systemd has it since 254. */
const SYSTEMD_UNIT = "/usr/lib/systemd/system/soft-reboot.target";
/** libostree's word of what it mounted at {@linkcode NEXT_ROOT}. */
const PREPARED = "/run/ostree/nextroot-booted";
const NEXT_ROOT = "/run/nextroot";
/** There where the kernel enforces a policy, or would. */
const SELINUX = "/sys/fs/selinux/enforce";

/** @throws {UserError} where a soft reboot is required, and no deployment could have one here */
export function refuseSoftReboot({ softReboot }: { readonly softReboot: SoftReboot | undefined }): void {
  if (softReboot !== "required" || (knowsSoftReboot() && exists(SYSTEMD_UNIT))) return;
  throw new UserError("Cannot soft-reboot: this system does not support it", {
    hint: "It takes libostree 2025.3 and systemd 254, or later ones; use --apply alone for a full reboot",
  });
}

/**
 * Tells of deployments that have the booted one's kernel and arguments, by their paths, whether user space could restart into them. The
 * SELinux policy that is loaded stays: it has to be the same. What is given throws {@linkcode GlibError} when a policy cannot be read.
 */
export async function softRebootCheck(
  booted: Pick<Deployment, "path"> | undefined,
): Promise<(path: string) => boolean> {
  if (!booted || !knowsSoftReboot() || !exists(SYSTEMD_UNIT)) return () => false;
  if (!exists(SELINUX)) return () => true;
  const { SePolicy } = await import("../ostree/sepolicy.ts"); // which `status` elsewhere need not wait for
  const policyOf = (path: string) => {
    using policy = SePolicy.fromDirectory(path);
    return policy?.checksum;
  };
  return (path) => policyOf(booted.path) === policyOf(path);
}

/**
 * Prepares the soft reboot into what was just queued, the first deployment there is. Says whether the next restart is to be a soft one; where
 * it is only wanted, it is not when it cannot be.
 * @throws {UserError} where it is required and cannot be; what is queued stays so
 */
export async function prepareSoftReboot(session: HostSession, mode: SoftReboot): Promise<boolean> {
  const { sysroot, ctx } = session;
  const [next] = sysroot.deployments();
  if (!next) throw new TypeError("A booted system root has a deployment");
  const kind = next.staged ? "staged" : next.booted ? "booted" : "rollback";
  const softRebootsInto = await softRebootCheck(sysroot.booted);
  const hint = "It is queued: a full reboot boots it";
  if (!next.softRebootCapable || !softRebootsInto(next.path)) {
    if (mode === "auto") return false;
    throw new UserError(`Soft reboot was required but ${kind} deployment is not soft-reboot capable`, {
      hint: `Kernel, initramfs, kernel arguments and SELinux policy have to be the same. ${hint}`,
    });
  }
  ctx.note(`The ${kind} deployment is soft-reboot capable, preparing for soft-reboot...`);
  try {
    await dropSoftReboot(ctx); // mounts would lie on each other
    await sysroot.prepareSoftReboot(next);
    return true;
  } catch (cause) {
    if (!(cause instanceof GlibError)) throw cause;
    if (mode === "required") throw new UserError("Cannot prepare the soft reboot", { cause, hint });
    ctx.note(`warning: No soft reboot: ${cause.message}`);
    return false;
  }
}

/**
 * Takes back a soft reboot that was prepared, before the deployments change: systemd would still make the next restart one into it. libostree
 * unmounts it in the mount namespace that it runs in, which is ours alone. Safe to repeat. Where it fails that is said, for the change stands
 * without it.
 * @throws {Interrupted}
 */
export async function dropSoftReboot(ctx: Context): Promise<void> {
  if (!exists(PREPARED)) return;
  try {
    await run(ctx, await inHostMountNamespace(["umount", "--recursive", NEXT_ROOT]));
    await Deno.remove(PREPARED);
    ctx.note("The soft reboot that was prepared is taken back");
  } catch (error) {
    if (!(error instanceof ToolError || error instanceof UserError)) throw error;
    ctx.note(`warning: Cannot take back the soft reboot that was prepared: ${error.message}`);
  }
}
