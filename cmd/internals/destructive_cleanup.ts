/** `bootc internals destructive-cleanup`: run once by bootc-destructive-cleanup.service, at the first boot after `install to-existing-root --cleanup`. */
import type { CliContext } from "../../lib/cli/context.ts";
import { sysrootFlag } from "../../lib/cli/host_flags.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { requireHost } from "../../lib/host/guard.ts";
import { awaitsCleanUp, makeWritable, removeOldRoot } from "../../lib/install/old_system.ts";
import { inOwnMountNamespace } from "../../lib/sys/mount_namespace.ts";

export const spec = {
  summary: "Remove the system that this one was installed beside",
  description: [
    "Removes everything in the physical root but /ostree and /boot, once, where the installation left word for it. " +
    "What is mounted there, and what is on other file systems, stays.",
  ],
  positionals: [],
  flags: { sysroot: { ...sysrootFlag, default: "/sysroot", hidden: true } },
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;

/** Commit point: that of `removeOldRoot()`. */
export async function run(ctx: CliContext, { sysroot }: Flags): Promise<void | number> {
  const live = sysroot === spec.flags.sysroot.default;
  await requireHost(ctx, live ? {} : { sysroot });
  if (!awaitsCleanUp(sysroot)) {
    ctx.stdout.write("There is nothing to remove.\n");
    return;
  }
  if (live) {
    const elsewhere = await inOwnMountNamespace(ctx);
    if (elsewhere !== undefined) return elsewhere;
    await makeWritable(ctx, sysroot);
  }
  await removeOldRoot(ctx, sysroot);
  ctx.stdout.write(`Removed the old system from ${sysroot}\n`);
}
