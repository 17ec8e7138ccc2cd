/** `bootc install to-filesystem` */
import type { CliContext } from "../../lib/cli/context.ts";
import { REGISTRY_FLAGS } from "../../lib/cli/image_flags.ts";
import { installFlags, installImages } from "../../lib/cli/install_flags.ts";
import { replaceFlags } from "../../lib/cli/replace_flags.ts";
import { withProgress } from "../../lib/cli/progress_view.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { describePlan } from "../../lib/container/plan.ts";
import { requireRoot } from "../../lib/host/guard.ts";
import { droppedLines } from "../../lib/host/words.ts";
import { requireHostProcesses, warnOfHostRoot } from "../../lib/install/host_root.ts";
import { inspectTarget } from "../../lib/install/mounted_target.ts";
import { installOnto } from "../../lib/install/onto_mounted.ts";
import { openInstallable } from "../../lib/install/preflight.ts";
import { installRequest } from "../../lib/install/request.ts";
import { containerImage, noSource } from "../../lib/install/source.ts";
import { installedText } from "../../lib/install/words.ts";
import { Root } from "../../lib/rootfs/root.ts";
import { tomlFilesOf } from "../../lib/rootfs/toml_files.ts";
import { inOwnMountNamespace } from "../../lib/sys/mount_namespace.ts";

export const spec = {
  summary: "Install an image into an empty file system that is mounted",
  description: [
    "ROOT is the mount point of the new root file system. What is mounted at ROOT/boot becomes the host's /boot, and what is mounted at " +
    "ROOT/boot/efi gets the boot loader for UEFI; the disk of /boot gets the one for BIOS, where it has a partition for that. " +
    "A file system with something on it is refused without --replace.",
  ],
  positionals: [{ name: "root", help: "Mount point of the new root file system", complete: "directory" }],
  flags: {
    ...installFlags,
    rootMountSpec: {
      kind: "string",
      metavar: "SPEC",
      help: 'How the kernel finds the root, as UUID=... or LABEL=...; "" to let it find it by itself',
    },
    bootMountSpec: {
      kind: "string",
      metavar: "SPEC",
      help: "How /boot is mounted where it is a file system of its own",
    },
    ...replaceFlags,
    skipFinalize: { help: "Leave the file system writable, for changes before `bootc install finalize`" },
    ...REGISTRY_FLAGS,
  },
  examples: [{
    command: "bootc install to-filesystem --source-imgref docker://example.com/os:1 /mnt",
    help: "Into what is mounted at /mnt",
  }],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;

export async function run(ctx: CliContext, flags: Flags, { root }: Positionals<typeof spec>): Promise<void | number> {
  requireRoot(ctx);
  const images = installImages(flags, await containerImage());
  if (!images) throw noSource();
  const elsewhere = await inOwnMountNamespace(ctx);
  if (elsewhere !== undefined) return elsewhere;
  if (flags.replace) await requireHostProcesses();
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
      }, { name: root, replace: flags.replace, finalize: !flags.skipFinalize }),
  );
  for (const line of droppedLines(installed.pulled, flags.verbose)) ctx.note(line);
  ctx.stdout.write(installedText(installed, images, root));
}
