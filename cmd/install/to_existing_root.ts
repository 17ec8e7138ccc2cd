/** `bootc install to-existing-root` */
import type { CliContext } from "../../lib/cli/context.ts";
import { REGISTRY_FLAGS } from "../../lib/cli/image_flags.ts";
import { installFlags, installImages } from "../../lib/cli/install_flags.ts";
import { besideFlags } from "../../lib/cli/replace_flags.ts";
import { withProgress } from "../../lib/cli/progress_view.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { describePlan } from "../../lib/container/plan.ts";
import { requireRoot } from "../../lib/host/guard.ts";
import { droppedLines } from "../../lib/host/words.ts";
import { requireHostProcesses, warnOfHostRoot } from "../../lib/install/host_root.ts";
import { DEFAULT_TARGET, inspectTarget } from "../../lib/install/mounted_target.ts";
import { installOnto } from "../../lib/install/onto_mounted.ts";
import { openInstallable } from "../../lib/install/preflight.ts";
import { installRequest } from "../../lib/install/request.ts";
import { containerImage, noSource } from "../../lib/install/source.ts";
import { installedText } from "../../lib/install/words.ts";
import { Root } from "../../lib/rootfs/root.ts";
import { tomlFilesOf } from "../../lib/rootfs/toml_files.ts";
import { inOwnMountNamespace } from "../../lib/sys/mount_namespace.ts";

export const spec = {
  summary: "Install an image over the system that a root file system has",
  description: [
    "ROOT is where the root file system is mounted, most often that of the running host, given to a container of the image: " +
    "podman run --privileged --pid=host -v /:/target -v /dev:/dev IMAGE bootc install to-existing-root. " +
    "The image is fetched and deployed beside the system that is there; its own boot loader is the last step, and what booted the old system " +
    "is removed after it. Until then the old system boots as before; from the next boot on its files are in /sysroot.",
    "Where the host runs from ROOT, it is said what will happen, and 20 seconds are left to interrupt.",
  ],
  positionals: [{
    name: "root",
    optional: true,
    help: `Mount point of the root file system; ${DEFAULT_TARGET} when not given`,
    complete: "directory",
  }],
  flags: {
    ...installFlags,
    ...besideFlags,
    cleanup: { help: "Remove the rest of the old system at the first boot: all of its files, /home included" },
    ...REGISTRY_FLAGS,
  },
  examples: [
    {
      command: "bootc install to-existing-root",
      help: "In a container of the image that has the host's root at /target",
    },
    {
      command: "bootc install to-existing-root --source-imgref oci:os --cleanup /mnt",
      help: "Over the system on what is mounted at /mnt",
    },
  ],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;

export async function run(ctx: CliContext, flags: Flags, args: Positionals<typeof spec>): Promise<void | number> {
  const { root = DEFAULT_TARGET } = args;
  requireRoot(ctx);
  const images = installImages(flags, await containerImage());
  if (!images) throw noSource();
  const elsewhere = await inOwnMountNamespace(ctx);
  if (elsewhere !== undefined) return elsewhere;
  await requireHostProcesses();
  using own = Root.open("/");
  const request = await installRequest(ctx, images, {
    ...flags,
    ownFiles: flags.sourceImgref === undefined ? tomlFilesOf(own) : undefined,
  });
  const target = await inspectTarget(ctx, root, flags);
  await using opened = await openInstallable(ctx, request);
  if (target.hostRoot && !flags.acknowledgeDestructive) await warnOfHostRoot(ctx);
  const installed = await withProgress(
    ctx,
    flags,
    ({ context, report }) =>
      installOnto(context, target, {
        ...request,
        pull: { ...request.pull, opened },
        report,
        onPlan: (plan) => ctx.stdout.write(`${describePlan(plan)}\n`),
        onNotice: context.note,
      }, { name: root, replace: flags.replace, cleanUp: flags.cleanup, finalize: false }),
  );
  for (const line of droppedLines(installed.pulled, flags.verbose)) ctx.note(line);
  ctx.stdout.write(installedText(installed, images, root));
}
