/** `bootc install ensure-completion`: called in a %post of Anaconda, in the new system. */
import type { CliContext } from "../../lib/cli/context.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { requireRoot } from "../../lib/host/guard.ts";
import { completeInstallation, isReconciled, markReconciled } from "../../lib/install/completion.ts";
import { completedText } from "../../lib/install/words.ts";
import { Sysroot } from "../../lib/ostree/sysroot.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { inOwnMountNamespace } from "../../lib/sys/mount_namespace.ts";

export const spec = {
  summary: "Finish an installation that another installer did with ostree",
  description: [
    "For a %post script of a kickstart that installs with ostreecontainer: adds the kernel arguments of the image's install configuration and " +
    "kargs.d to the boot entry, unless `ostree container image deploy` of this program did so already. " +
    "Once is enough: /run/bootc-install-reconciled of the installer's system says that it was done.",
    "Images that the image binds are not fetched yet.",
  ],
  positionals: [],
  flags: {},
  examples: [{ command: "bootc install ensure-completion", help: "In a %post script" }],
} as const satisfies CommandSpec;

/** Anaconda says with it where the new system is mounted, to its scripts alone. */
const HINT = "ANA_INSTALL_PATH";
/** The system that installs, seen from a chroot in it. */
const INSTALLER = "/proc/1/root";

/** Commit point: that of `completeInstallation()`. */
export async function run(ctx: CliContext, _flags: Values<typeof spec>): Promise<void | number> {
  requireRoot(ctx);
  if (ctx.env[HINT] === undefined) {
    throw new UserError(`Missing environment variable ${HINT}`, { hint: "Run it in a %post script of Anaconda" });
  }
  const elsewhere = await inOwnMountNamespace(ctx);
  if (elsewhere !== undefined) return elsewhere;
  if (isReconciled(INSTALLER)) {
    ctx.stdout.write("Reconciliation already completed.\n");
    return;
  }
  using sysroot = Sysroot.open("/", { mountNamespaceInUse: true });
  using _lock = await sysroot.lock(ctx);
  const added = await completeInstallation(sysroot);
  await markReconciled(INSTALLER);
  ctx.stdout.write(completedText(added));
}
