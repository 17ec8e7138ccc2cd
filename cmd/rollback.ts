/** `bootc rollback`: the deployment before boots next. */
import type { CliContext } from "../lib/cli/context.ts";
import { moveFlags, sysrootFlag } from "../lib/cli/host_flags.ts";
import type { CommandSpec, Values } from "../lib/cli/spec.ts";
import { applyNow } from "../lib/host/reboot.ts";
import { refuseSoftReboot } from "../lib/host/soft_reboot.ts";
import { rollBack } from "../lib/host/rollback.ts";
import { HostSession, inOwnNamespace } from "../lib/host/session.ts";

export const spec = {
  summary: "Boot the previous deployment next",
  description: [
    "Puts the rollback deployment first in the boot order; a second call puts the current one first again. " +
    "A staged update is discarded. /etc of the previous deployment comes back as it was left; /var is shared.",
  ],
  positionals: [],
  flags: {
    apply: { ...moveFlags.apply, help: "Reboot into it now" },
    softReboot: moveFlags.softReboot,
    sysroot: sysrootFlag,
  },
  examples: [{ command: "bootc rollback --apply", help: "Go back now" }],
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void | number> {
  const request = { sysroot: flags.sysroot, doing: "Rollback" };
  const elsewhere = await inOwnNamespace(ctx, request);
  if (elsewhere !== undefined) return elsewhere;
  refuseSoftReboot(flags);
  using session = await HostSession.open(ctx, request);
  const plan = await rollBack(session);
  if (plan.notice !== undefined) ctx.stdout.write(`${plan.notice}\n`);
  if (plan.discarded) ctx.note(`The staged deployment ${plan.discarded.checksum.slice(0, 12)} is discarded`);
  ctx.stdout.write(`${plan.done}\n`);
  await applyNow(session, flags);
}
