/** Puts GRUB where the firmware finds it: in the BIOS boot partition, and in the EFI system partition. The image's own tools do it. */
import type { Context } from "../../sys/context.ts";
import { writeAll } from "../../sys/libc.ts";
import { replaceFile } from "../../sys/replace_file.ts";
import { run } from "../../sys/run.ts";
import { type BootTarget, EFI_LOADER, type EfiPartition } from "./boot_loader.ts";
import { searchConfig } from "./grub_config.ts";
import type { DeploymentRoot } from "./in_deployment.ts";
import { syncAll } from "./sync_all.ts";

/** What every configuration of ours needs, on every platform. */
const COMMON_MODULES = [
  ...["part_gpt", "part_msdos", "ext2", "xfs", "btrfs", "search", "search_fs_uuid"],
  ...["configfile", "normal", "linux", "boot", "test", "true", "regexp", "loadenv", "gzio"],
  ...["serial", "terminal", "echo", "ls", "cat", "sleep", "reboot", "halt", "minicmd"],
];
const EFI_MODULES = [...COMMON_MODULES, "fat", "all_video", "efi_gop"];
const BIOS_MODULES = [...COMMON_MODULES, "linux16"];

/** Where GRUB lies, and what it needs beside what each needs. */
export interface GrubPlace {
  readonly target: BootTarget;
  readonly chroot: DeploymentRoot;
  readonly modules: readonly string[];
}

/** The directory that holds GRUB's, from the deployment. */
function bootDirectory({ grubParent = "" }: BootTarget): string {
  return `/sysroot/boot${grubParent}`;
}

/**
 * Embeds GRUB in the BIOS boot partition. grub-install syncs each module that it copies, so it is told the few that are needed to boot; the
 * others follow. What it embeds holds no module but the ones that reach those: each sector is written for itself, and waited for. Commit
 * point: the sector that the firmware starts.
 * @throws {ToolError}
 */
export async function placeBios({ target, chroot, modules }: GrubPlace, disk: string): Promise<void> {
  const directory = bootDirectory(target);
  // deno-fmt-ignore
  await chroot.run([
    "grub-install", "--target=i386-pc", `--boot-directory=${directory}`,
    `--install-modules=${[...BIOS_MODULES, ...modules].join(" ")}`, "--no-floppy", "--themes=", "--fonts=", "--locales=", disk,
  ]);
  await chroot.run(["cp", "-r", "/usr/lib/grub/i386-pc", `${directory}/grub/`]);
}

/** In the scratch directory, before it is placed. */
const EFI_FILE = "BOOTX64.EFI";

/**
 * Makes what the firmware is to start, the modules that it may load, and an empty file system where it comes to a blank partition. What the
 * firmware starts until now is left alone.
 * @throws {ToolError}
 */
export async function makeEfi(ctx: Context, place: GrubPlace, esp: EfiPartition): Promise<void> {
  const { target, chroot, modules } = place;
  const { bootPrefix, grubParent = "" } = target;
  await Deno.writeTextFile(`${chroot.scratch}/early.cfg`, searchConfig(target));
  const prefix = `${bootPrefix}${grubParent}/grub`;
  await together([
    // deno-fmt-ignore
    chroot.run([
      "grub-mkimage", "--format=x86_64-efi", `--output=/tmp/${EFI_FILE}`, `--prefix=${prefix}`, "--config=/tmp/early.cfg",
      ...EFI_MODULES, ...modules,
    ]),
    chroot.run(["cp", "-r", "/usr/lib/grub/x86_64-efi", `${bootDirectory(target)}/grub/`]),
    esp.kind === "blank" ? makeEsp(ctx, esp.device) : Promise.resolve(),
  ]);
  await syncAll(`${target.root}/boot`);
}

/**
 * Puts what {@linkcode makeEfi} made to the place that every firmware looks at, so that no variable of the firmware is needed. Commit point:
 * the file.
 * @throws {ToolError} @throws {LibcError}
 */
export async function placeEfi(ctx: Context, { chroot }: GrubPlace, esp: EfiPartition): Promise<void> {
  const made = `${chroot.scratch}/${EFI_FILE}`;
  if (esp.kind === "blank") return await run(ctx, ["mcopy", "-i", esp.device, made, `::/${EFI_LOADER}`]);
  await Deno.mkdir(`${esp.path}/EFI/BOOT`, { recursive: true });
  const bytes = await Deno.readFile(made);
  await replaceFile(`${esp.path}/${EFI_LOADER}`, (fd) => writeAll(fd, bytes), { mode: 0o700 });
}

/** mtools write to a partition that is not mounted, as not every kernel has vfat. */
async function makeEsp(ctx: Context, device: string): Promise<void> {
  await run(ctx, ["mkfs.vfat", "-n", "EFI-SYSTEM", device]);
  await run(ctx, ["mmd", "-i", device, "::/EFI", "::/EFI/BOOT"]);
}

/** Waits for all, also when one fails, so that nothing goes on behind the caller's back. @throws what the first of them throws */
export async function together(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}
