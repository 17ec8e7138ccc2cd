/**
 * What starts an installed system. libostree writes the entries at each deployment, so that they change at the same rename as everything else;
 * a loader only has to read them. Which ways boot was measured: Debian 13's GRUB 2.12 reads `loader/syslinux.cfg`, GRUB 2.14 and Fedora's read
 * the BLS entries.
 */
import type { ListTree } from "../../host/bootable.ts";
import type { Context } from "../../sys/context.ts";

/** An EFI system partition: mounted, or blank, and then formatted. One that holds another system's files is never made anew. */
export type EfiPartition = { readonly kind: "blank"; readonly device: string } | {
  readonly kind: "mounted";
  readonly path: string;
};

/** What every UEFI starts, from the root of the partition. */
export const EFI_LOADER = "EFI/BOOT/BOOTX64.EFI";

/** The disk and the mounted target that a loader is put on. */
export interface BootTarget {
  /** Root of the target's physical file system, mounted. */
  readonly root: string;
  /** The deployment's directory: its tools are the ones that match what it boots with. */
  readonly deployment: string;
  /** File system with /boot. */
  readonly bootUuid: string;
  /** Where in /boot its directory lies: "" for /boot/grub, "/bootc" for /boot/bootc/grub; "" when not given. */
  readonly grubParent?: GrubParent | undefined;
  /** Where /boot lies on that file system: "/boot" on the root's own, "" on one of its own. */
  readonly bootPrefix: "/boot" | "";
  /** The disk that gets one for BIOS; undefined for none. */
  readonly biosDisk: string | undefined;
  /** The EFI system partition; undefined without one. */
  readonly esp: EfiPartition | undefined;
  /** The disk with all of this; undefined where it is not one disk. */
  readonly disk?: string | undefined;
  /** The system finds its root by what the loader tells it of the disk. */
  readonly discoverable?: boolean;
}

/** What decides whether a loader finds a place. */
export type BootPlace = Pick<BootTarget, "biosDisk" | "esp" | "grubParent">;

/** {@linkcode BootTarget.grubParent}: one of the two is free beside the GRUB that boots until now. */
export type GrubParent = "" | "/bootc";

/** One way to boot. */
export interface BootLoader {
  readonly name: "grub-syslinux" | "grub-bls" | "bootupd" | "none";
  /** `sysroot.bootloader` of the repository: what libostree writes beside the BLS entries. */
  readonly ostreeBackend: "syslinux" | "none";
  /** Kernel arguments reach a script of the loader as they are. */
  readonly rawKernelArguments: boolean;
  /** Refuses a target that this could not boot, before anything is written there. @throws {UserError} */
  requirePlace(target: BootPlace): void;
  /** What has to lie in /boot before the first deployment. */
  seed(bootDirectory: string): Promise<void>;
  /** Puts the loader on the disk, where another may have been. Commit point: what the loader's own tool writes last. @throws {ToolError} @throws {UserError} */
  install(ctx: Context, target: BootTarget): Promise<void>;
}

/** What an image has to boot with. */
export interface BootFiles {
  /** GRUB for it. */
  readonly bios: boolean;
  readonly efi: boolean;
  /** The module that reads BLS entries; undefined where there is none for every platform. */
  readonly blscfg: "blscfg" | "blsuki" | undefined;
  /** It reads a configuration of syslinux. */
  readonly syslinuxcfg: boolean;
  /** It tells systemd, through UEFI, which disk it was started from. */
  readonly bli: boolean;
  /** bootupd, and what it installs. */
  readonly bootupd: boolean;
}

const GRUB = "usr/lib/grub";

/** Looks for boot loaders in an image's tree. */
export async function bootFiles(list: ListTree): Promise<BootFiles> {
  const names = async (path: string) => new Set((await list(path) ?? []).map(({ name }) => name));
  const bios = await names(`${GRUB}/i386-pc`), efi = await names(`${GRUB}/x86_64-efi`);
  const every = (file: string) => [bios, efi].filter(({ size }) => size > 0).every((each) => each.has(file));
  const any = bios.size + efi.size > 0;
  return {
    bios: bios.size > 0,
    efi: efi.size > 0,
    blscfg: any ? (["blscfg", "blsuki"] as const).find((each) => every(`${each}.mod`)) : undefined,
    syslinuxcfg: any && every("syslinuxcfg.mod"),
    bli: efi.has("bli.mod"),
    bootupd: await list("usr/lib/bootupd/updates") !== undefined && (await names("usr/bin")).has("bootupctl"),
  };
}
