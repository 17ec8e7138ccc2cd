/** `bootc install to-disk` */
import type { CliContext } from "../../lib/cli/context.ts";
import { UsageError } from "../../lib/cli/errors.ts";
import { REGISTRY_FLAGS } from "../../lib/cli/image_flags.ts";
import { installFlags, installImages } from "../../lib/cli/install_flags.ts";
import { withProgress } from "../../lib/cli/progress_view.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { describePlan } from "../../lib/container/plan.ts";
import { requireRoot } from "../../lib/host/guard.ts";
import { droppedLines } from "../../lib/host/words.ts";
import {
  BLOCK_SETUPS,
  chooseBlockSetup,
  NO_CONFIG,
  requireDirect,
  ROOT_FILE_SYSTEMS,
} from "../../lib/install/config.ts";
import { checkDisk, type DiskRequest, makeDisk } from "../../lib/install/disk.ts";
import { finalize } from "../../lib/install/finalize.ts";
import { install } from "../../lib/install/install.ts";
import { parseSizeMiB } from "../../lib/install/partition_table.ts";
import { openInstallable } from "../../lib/install/preflight.ts";
import { installRequest, onTarget } from "../../lib/install/request.ts";
import { containerImage, noSource } from "../../lib/install/source.ts";
import { ProxyLaunch } from "../../lib/skopeo/copy.ts";
import { Root } from "../../lib/rootfs/root.ts";
import { tomlFilesOf } from "../../lib/rootfs/toml_files.ts";
import { inOwnMountNamespace } from "../../lib/sys/mount_namespace.ts";
import { installedText } from "../../lib/install/words.ts";

export const spec = {
  summary: "Install an image on a whole disk, which then boots it",
  description: [
    "Makes a partition table and a root file system, deploys the image in it, and puts the image's own GRUB on the disk, for BIOS and for UEFI. " +
    "All that was on the disk is lost; a disk with something on it is refused without --wipe.",
    "Run it in the image (podman run --privileged --pid=host IMAGE bootc install to-disk ...), or anywhere with --source-imgref: " +
    "no container engine is needed then.",
  ],
  positionals: [{ name: "device", help: "The disk, such as /dev/sda; a file with --via-loopback", complete: "file" }],
  flags: {
    ...installFlags,
    wipe: { help: "Overwrite what is on the disk" },
    filesystem: {
      kind: "enum",
      values: ROOT_FILE_SYSTEMS,
      help: "Root file system; that of the install configuration when not given, else ext4",
    },
    rootSize: {
      kind: "string",
      metavar: "SIZE",
      help: "Size of the root partition, as 20G or 800M; the rest of the disk when not given",
    },
    blockSetup: {
      kind: "enum",
      values: BLOCK_SETUPS,
      help: "What lies between the disk and the root file system: direct is nothing; tpm2-luks is not there yet",
    },
    viaLoopback: { help: "DEVICE is a file that becomes the disk" },
    ...REGISTRY_FLAGS,
  },
  examples: [
    {
      command: "bootc install to-disk --source-imgref docker://example.com/os:1 /dev/sdb",
      help: "From a running system onto another disk",
    },
    {
      command: "bootc install to-disk --via-loopback --source-imgref oci:os disk.img",
      help: "A disk image, from a directory",
    },
  ],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;

/** Where the new root file system is mounted, in a mount namespace of our own. */
const ROOT = "/run/bootc/mounts/rootfs";

export async function run(ctx: CliContext, flags: Flags, { device }: Positionals<typeof spec>): Promise<void | number> {
  requireRoot(ctx);
  const images = installImages(flags, await containerImage());
  if (!images) throw noSource();
  const rootSizeMiB = flags.rootSize === undefined ? undefined : sizeMiB(flags.rootSize);
  const elsewhere = await inOwnMountNamespace(ctx);
  if (elsewhere !== undefined) return elsewhere;
  using own = Root.open("/");
  const request = await installRequest(ctx, images, {
    ...flags,
    genericImage: flags.genericImage || flags.viaLoopback,
    ownFiles: flags.sourceImgref === undefined ? tomlFilesOf(own) : undefined,
  });
  requireDirect(chooseBlockSetup(request.config ?? NO_CONFIG, flags.blockSetup));
  const diskRequest: DiskRequest = {
    device,
    loopback: flags.viaLoopback,
    wipe: flags.wipe,
    fileSystem: flags.filesystem ?? request.config?.rootFsType ?? "ext4",
    rootSizeMiB,
    bootLoader: flags.bootloader !== "none",
  };
  await using launched = await ProxyLaunch.begin(ctx, request.pull);
  await using disk = await checkDisk(ctx, diskRequest);
  await using opened = await openInstallable(ctx, { ...request, pull: { ...request.pull, launched } });
  const installed = await withProgress(ctx, flags, async ({ context, report }) => {
    const again = "run it again with --wipe";
    return await onTarget({ name: device, again }, async () => {
      await using target = await makeDisk(context, disk, { request: diskRequest, root: ROOT });
      const installed = await install(context, target, {
        ...request,
        pull: { ...request.pull, opened },
        report,
        onPlan: (plan) => ctx.stdout.write(`${describePlan(plan)}\n`),
        onNotice: context.note,
      });
      await finalize(context, target.root);
      return installed;
    });
  });
  for (const line of droppedLines(installed.pulled, flags.verbose)) ctx.note(line);
  ctx.stdout.write(installedText(installed, images, device));
}

/** @throws {UsageError} */
function sizeMiB(text: string): number {
  try {
    return parseSizeMiB(text);
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause));
  }
}
