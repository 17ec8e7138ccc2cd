/** Rebooting into what was queued. */
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { run } from "../sys/run.ts";
import type { HostSession } from "./session.ts";

/** What the caller wants after the change. */
export interface ApplyRequest {
  readonly apply: boolean;
  readonly softReboot: "required" | "auto" | undefined;
}

/** libostree here cannot prepare a soft reboot; `auto` then is a full one. @throws {UserError} when nothing else will do */
export function refuseSoftReboot({ softReboot }: Pick<ApplyRequest, "softReboot">): void {
  if (softReboot !== "required") return;
  throw new UserError("Cannot soft-reboot: this system does not support it", { hint: "Use --apply for a full reboot" });
}

/** Reboots the running host if that was asked for; a system root that does not run is left as it is. @throws {ToolError} */
export async function applyNow(session: HostSession, { apply, softReboot }: ApplyRequest): Promise<void> {
  if (!apply && softReboot === undefined) return;
  if (!session.live) {
    session.ctx.note("Not rebooting: the system root is not the running host's");
    return;
  }
  await run(session.ctx, rebootArgv(session.ctx));
}

/** Asks systemd to reboot from a unit of its own, which outlives this process and its terminal. */
export function rebootArgv({ tools }: Pick<Context, "tools">): [string, ...string[]] {
  return [tools.systemdRun, "--quiet", "--", tools.systemctl, "reboot", "--message=Initiated by bootc"];
}
