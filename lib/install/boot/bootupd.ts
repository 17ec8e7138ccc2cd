/** bootupd out of the image, for images that have it (Fedora's): it brings the loaders, and updates them later. Source: the reference's `bootloader.rs`. */
import type { Context } from "../../sys/context.ts";
import { UserError } from "../../sys/errors.ts";
import { run } from "../../sys/run.ts";
import type { BootLoader, BootPlace, BootTarget } from "./boot_loader.ts";
import { inDeployment } from "./in_deployment.ts";
import { syncAll } from "./sync_all.ts";

/** What the operator or the image's configuration wants of it. */
export interface BootupdOptions {
  /** Loaders for all firmware, and no change of this machine's. */
  readonly genericImage: boolean;
  /** The loader does not look for /boot by its UUID. */
  readonly skipBootUuid: boolean;
}

/** The command line in the deployment; `disk` for a bootupd that cannot find it by the file system. Pure. */
export function bootupdArgv(
  { genericImage, skipBootUuid }: BootupdOptions,
  disk: string | undefined,
): [string, ...string[]] {
  // deno-fmt-ignore
  return [
    "bootupctl", "backend", "install", skipBootUuid ? "--with-static-configs" : "--write-uuid",
    ...genericImage ? [] : ["--update-firmware", "--auto"],
    ...disk === undefined ? ["--filesystem", "/sysroot"] : ["--device", disk],
    "/",
  ];
}

/** See the module's comment. */
export class Bootupd implements BootLoader {
  readonly name = "bootupd";
  readonly ostreeBackend = "none";
  readonly rawKernelArguments = false;

  constructor(readonly options: BootupdOptions) {}

  requirePlace({ grubParent }: BootPlace): void {
    if (grubParent === undefined) return;
    throw new UserError("The image's bootupd cannot be installed beside another system", {
      hint: "Give --bootloader none and install the boot loader by hand, or install on an empty file system",
    });
  }

  seed(): Promise<void> {
    return Promise.resolve();
  }

  /** The system is on the disk before. Commit point: bootupd's. */
  async install(ctx: Context, target: BootTarget): Promise<void> {
    const { esp, root } = target;
    if (esp?.kind === "blank") await run(ctx, ["mkfs.vfat", "-n", "EFI-SYSTEM", esp.device]);
    // Where bootupd mounts it; it is looked for on the disk.
    if (esp) await Deno.mkdir(`${root}/boot/efi`, { recursive: true });
    await syncAll(root);
    using chroot = inDeployment(ctx, target, { boot: true });
    const help = await chroot.capture(["bootupctl", "backend", "install", "--help"]);
    await chroot.run(bootupdArgv(this.options, help.includes("--filesystem") ? undefined : diskOf(target)));
  }
}

/** @throws {UserError} */
function diskOf({ disk, biosDisk }: BootTarget): string {
  const found = disk ?? biosDisk;
  if (found !== undefined) return found;
  throw new UserError("Cannot tell the image's bootupd which disk to install on: the root is not on a single one", {
    hint: "Use an image with a bootupd that knows --filesystem, or give --bootloader none",
  });
}
