/** GRUB out of the image itself, for BIOS and UEFI from the same disk; it only differs what it reads the entries from. */
import type { Context } from "../../sys/context.ts";
import { Descriptor } from "../../sys/descriptor.ts";
import { UserError } from "../../sys/errors.ts";
import { AT_FDCWD, cstr, O_DIRECTORY, O_RDONLY, openat, syncfs, writeAll } from "../../sys/libc.ts";
import { replaceFile } from "../../sys/replace_file.ts";
import { run } from "../../sys/run.ts";
import type { Bootloader } from "../config.ts";
import { type BootLoader, type BootTarget, EFI_LOADER, type EfiPartition, type GrubFiles } from "./boot_loader.ts";
import { type DeploymentRoot, inDeployment } from "./in_deployment.ts";
import { seedSyslinux } from "./seed.ts";

/** In the scratch directory, before it is placed. */
const EFI_FILE = "BOOTX64.EFI";

/** Modules that every configuration below needs, built into what the firmware starts. */
const FILE_SYSTEM_MODULES = ["part_gpt", "ext2", "xfs", "btrfs"];
const EFI_MODULES = [
  ...FILE_SYSTEM_MODULES,
  ...[
    "fat",
    "part_msdos",
    "search",
    "search_fs_uuid",
    "configfile",
    "normal",
    "linux",
    "regexp",
    "test",
    "echo",
    "ls",
    "cat",
    "sleep",
  ],
  ...["reboot", "halt", "serial", "terminal", "gzio", "all_video", "efi_gop", "loadenv", "true", "minicmd", "boot"],
];

/** Finds the file system with /boot by its UUID, whatever the firmware started from. */
function searchConfig({ bootUuid, bootPrefix, grubParent = "" }: BootTarget): string {
  return [
    `search --no-floppy --fs-uuid --set=root ${bootUuid}`,
    `set prefix=($root)${bootPrefix}${grubParent}/grub`,
    "configfile $prefix/grub.cfg",
    "",
  ].join("\n");
}

/** In front of the entries in each grub.cfg of ours: a serial console where there is one, and modules that BIOS wants. */
const PREAMBLE = `# Written once at installation; the entries change without it.
if serial --unit=0 --speed=115200; then
  terminal_input console serial
  terminal_output console serial
fi
set timeout=1
if [ "$grub_platform" = pc ]; then
  insmod linux16
fi
`;

/** ostree's syslinux backend writes `loader/syslinux.cfg` anew beside the BLS entries, before the link is swapped. */
export function syslinuxConfig(bootPrefix: BootTarget["bootPrefix"]): string {
  return `${PREAMBLE}insmod syslinuxcfg\nsyslinux_configfile -s ${bootPrefix}/loader/syslinux.cfg\n`;
}

/** The entries of the Boot Loader Specification, in the order of their versions. */
export function blsConfig(bootPrefix: BootTarget["bootPrefix"]): string {
  return `${PREAMBLE}insmod blscfg\ninsmod blsuki\nblscfg --path ($root)${bootPrefix}/loader/entries\n`;
}

abstract class Grub implements BootLoader {
  abstract readonly name: BootLoader["name"];
  abstract readonly ostreeBackend: BootLoader["ostreeBackend"];
  abstract readonly rawKernelArguments: boolean;
  protected abstract config(bootPrefix: BootTarget["bootPrefix"]): string;
  /** Modules beside those that all need. */
  protected abstract readonly modules: readonly string[];

  constructor(readonly files: GrubFiles) {}

  abstract seed(bootDirectory: string): Promise<void>;

  requirePlace({ biosDisk, esp }: Pick<BootTarget, "biosDisk" | "esp">): void {
    const { bios, efi } = this.files;
    if (!(bios && biosDisk !== undefined) && !(efi && esp !== undefined)) throw nowhere(this.files);
  }

  /** Its own directory is whole, and on the disk, before what the firmware starts leads there. */
  async install(ctx: Context, target: BootTarget): Promise<void> {
    this.requirePlace(target);
    await using chroot = await inDeployment(ctx, target);
    const { grubParent = "" } = target;
    const directory = `${target.root}/boot${grubParent}/grub`;
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(`${directory}/grub.cfg`, this.config(target.bootPrefix));
    const efi = this.files.efi && target.esp !== undefined;
    if (efi) await this.#makeEfi(target, chroot);
    await syncAll(directory);
    if (this.files.bios && target.biosDisk !== undefined) {
      const modules = [...FILE_SYSTEM_MODULES, ...this.modules].join(" ");
      // deno-fmt-ignore
      await chroot.run([
        "grub-install", "--target=i386-pc", `--boot-directory=/sysroot/boot${grubParent}`, `--modules=${modules}`,
        "--no-floppy", "--themes=", "--fonts=", "--locales=", target.biosDisk,
      ]);
    }
    if (efi) await placeEfi(ctx, target.esp!, `${chroot.scratch}/${EFI_FILE}`);
  }

  /** One file for the place that every firmware looks at, so that no variable of the firmware is needed. */
  async #makeEfi(target: BootTarget, chroot: DeploymentRoot): Promise<void> {
    const { bootPrefix, grubParent = "" } = target;
    await Deno.writeTextFile(`${chroot.scratch}/early.cfg`, searchConfig(target));
    // deno-fmt-ignore
    await chroot.run([
      "grub-mkimage", "--format=x86_64-efi", `--output=/tmp/${EFI_FILE}`, `--prefix=${bootPrefix}${grubParent}/grub`,
      "--config=/tmp/early.cfg", ...EFI_MODULES, ...this.modules,
    ]);
    await chroot.run(["cp", "-r", "/usr/lib/grub/x86_64-efi", `/sysroot/boot${grubParent}/grub/`]);
  }
}

/** mtools write to a partition that is not mounted, as not every kernel has vfat. */
async function placeEfi(ctx: Context, esp: EfiPartition, made: string): Promise<void> {
  if (esp.kind === "mounted") {
    await Deno.mkdir(`${esp.path}/EFI/BOOT`, { recursive: true });
    const bytes = await Deno.readFile(made);
    await replaceFile(`${esp.path}/${EFI_LOADER}`, (fd) => writeAll(fd, bytes), { mode: 0o700 });
    return;
  }
  await run(ctx, ["mkfs.vfat", "-n", "EFI-SYSTEM", esp.device]);
  await run(ctx, ["mmd", "-i", esp.device, "::/EFI", "::/EFI/BOOT"]);
  await run(ctx, ["mcopy", "-i", esp.device, made, `::/${EFI_LOADER}`]);
}

async function syncAll(directory: string): Promise<void> {
  using open = new Descriptor(openat(AT_FDCWD, cstr(directory), O_RDONLY | O_DIRECTORY));
  await syncfs(open.fd);
}

/** A disk that would never boot is no success. */
function nowhere({ bios, efi }: GrubFiles): UserError {
  const platforms = [...(bios ? ["BIOS"] : []), ...(efi ? ["UEFI"] : [])].join(" and ");
  return new UserError(`The image has GRUB for ${platforms}, and the disk no partition for it`, {
    hint: "Make a BIOS boot partition or an EFI system partition, or give --bootloader none",
  });
}

/** For a GRUB without `blscfg`. */
export class GrubSyslinux extends Grub {
  readonly name = "grub-syslinux";
  readonly ostreeBackend = "syslinux";
  readonly rawKernelArguments = true;
  protected override readonly config = syslinuxConfig;
  protected readonly modules = ["syslinuxcfg"];

  /**
   * libostree uses this backend where it finds its file, and keeps the first line; without TIMEOUT, GRUB's reader of it makes no menu and
   * stops at its prompt.
   */
  async seed(boot: string): Promise<void> {
    await seedSyslinux(boot, "TIMEOUT 10\n");
  }
}

/** For a GRUB that reads BLS entries: Fedora's, and 2.14. */
export class GrubBls extends Grub {
  readonly name = "grub-bls";
  readonly ostreeBackend = "none";
  readonly rawKernelArguments = false;
  protected override readonly config = blsConfig;
  protected readonly modules: readonly string[] = [];

  seed(): Promise<void> {
    return Promise.resolve();
  }
}

/** No boot loader is put on the disk: whoever asked for that has one. */
export const noBootLoader: BootLoader = {
  name: "none",
  ostreeBackend: "none",
  rawKernelArguments: false,
  requirePlace: () => {},
  seed: () => Promise.resolve(),
  install: () => Promise.resolve(),
};

/**
 * The way to boot that an image can do.
 * @throws {UserError} when it has none
 */
export function chooseBootLoader(files: GrubFiles, wanted: Bootloader | undefined): BootLoader {
  if (wanted === "none") return noBootLoader;
  if (wanted !== undefined && wanted !== "grub") {
    throw new UserError(`The boot loader "${wanted}" cannot be installed yet`, {
      hint: "Give --bootloader grub or none",
    });
  }
  if (files.blscfg) return new GrubBls(files);
  if (files.syslinuxcfg) return new GrubSyslinux(files);
  throw new UserError("The image has no boot loader that could be installed", {
    hint: "Install GRUB into the image (grub-pc-bin, grub-efi-amd64-bin and grub2-common), or give --bootloader none",
  });
}
