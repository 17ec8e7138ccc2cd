/** Rebooting into what was queued. */
import type { Context } from "../sys/context.ts";
import { run } from "../sys/run.ts";
import type { HostSession } from "./session.ts";
import { prepareSoftReboot, type SoftReboot } from "./soft_reboot.ts";

/** What the caller wants after the change. */
export interface ApplyRequest {
  /** Restart now. */
  readonly apply: boolean;
  /** Prepare that the restart is one of user space alone. */
  readonly softReboot: SoftReboot | undefined;
}

/**
 * Prepares and starts the restart of the running host that was asked for; a system root that does not run is left as it is.
 * @throws {ToolError}
 * @throws {UserError} where a soft reboot is required and cannot be
 */
export async function applyNow(session: HostSession, { apply, softReboot }: ApplyRequest): Promise<void> {
  if (!apply && softReboot === undefined) return;
  const { ctx } = session;
  if (!session.live) {
    ctx.note("Not rebooting: the system root is not the running host's");
    return;
  }
  const soft = softReboot !== undefined && await prepareSoftReboot(session, softReboot);
  if (apply) await run(ctx, rebootArgv(ctx, { soft }));
  else if (soft) ctx.note("Run `systemctl soft-reboot` to boot it");
}

/** Asks systemd to reboot from a unit of its own, which outlives this process and its terminal. */
export function rebootArgv(
  { tools }: Pick<Context, "tools">,
  { soft = false }: { readonly soft?: boolean } = {},
): [string, ...string[]] {
  const verb = soft ? "soft-reboot" : "reboot";
  return [tools.systemdRun, "--quiet", "--", tools.systemctl, verb, "--message=Initiated by bootc"];
}
