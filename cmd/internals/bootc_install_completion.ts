/** `bootc internals bootc-install-completion`: the reference's `ostree container image deploy` runs it, and whoever deploys like that. */
import type { CliContext } from "../../lib/cli/context.ts";
import { rootFlag } from "../../lib/cli/host_flags.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { requireRoot } from "../../lib/host/guard.ts";
import { completeInstallation, markReconciled } from "../../lib/install/completion.ts";
import { completedText } from "../../lib/install/words.ts";
import { Sysroot } from "../../lib/ostree/sysroot.ts";

export const spec = {
  summary: "Add what an image asks for to the boot entry of its first deployment",
  description: ["As `bootc install ensure-completion`, for any system root."],
  positionals: [
    { name: "sysroot", help: "The system root", complete: "directory" },
    { name: "stateroot", help: "The stateroot whose newest deployment is meant" },
  ],
  flags: { root: rootFlag },
} as const satisfies CommandSpec;

/** Commit point: that of `completeInstallation()`. */
export async function run(
  ctx: CliContext,
  flags: Values<typeof spec>,
  { sysroot: path, stateroot }: Positionals<typeof spec>,
): Promise<void> {
  requireRoot(ctx);
  using sysroot = Sysroot.open(path);
  using _lock = await sysroot.lock(ctx);
  const added = await completeInstallation(sysroot, stateroot);
  await markReconciled(flags.root);
  ctx.stdout.write(completedText(added));
}
