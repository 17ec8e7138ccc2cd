/** Going back: the other deployment boots next. */
import { planRollback, type RollbackPlan } from "./rollback_plan.ts";
import type { Deployment } from "../ostree/deployment.ts";
import { changing } from "./damage.ts";
import { bumpGeneration, tellJournal } from "./notify.ts";
import type { HostSession } from "./session.ts";
import { dropSoftReboot } from "./soft_reboot.ts";
import { imageText } from "./spec_image.ts";

/**
 * Swaps the boot order, or back again; a staged deployment is discarded. Commit point: the swap of the boot loader's entries.
 * @throws {UserError} when there is nothing to go back to
 */
export async function rollBack(session: HostSession): Promise<RollbackPlan<Deployment>> {
  const { sysroot, ctx, live, host } = session;
  const plan = planRollback(host, sysroot.deployments());
  if (live) await dropSoftReboot(ctx);
  await changing("Cannot change the boot order", () => sysroot.writeDeployments(plan.order));
  await bumpGeneration(ctx, sysroot.path);
  if (live) {
    const image = imageText(plan.image);
    await tellJournal(ctx, {
      id: "rollback",
      message: `Rolling back to ${image}`,
      fields: { "bootc.image.reference": image },
    });
  }
  return plan;
}
