/** Which boot loader an image gets. */
import { UserError } from "../../sys/errors.ts";
import type { Bootloader } from "../config.ts";
import type { BootFiles, BootLoader } from "./boot_loader.ts";
import { Bootupd, type BootupdOptions } from "./bootupd.ts";
import { GrubBls, GrubSyslinux } from "./grub.ts";

/** No boot loader is put on the disk: whoever asked for that has one. */
export const noBootLoader: BootLoader = {
  name: "none",
  ostreeBackend: "none",
  rawKernelArguments: false,
  requirePlace: () => {},
  seed: () => Promise.resolve(),
  install: () => Promise.resolve(),
};

/** Loaders that boot a system of ostree. */
export type OstreeBootloader = "grub" | "none";

/**
 * Those that boot systems of the composefs backend alone cannot be installed.
 * @throws {UserError}
 */
export function ostreeBootloader(wanted: Bootloader | undefined): OstreeBootloader | undefined {
  if (wanted === undefined || wanted === "grub" || wanted === "none") return wanted;
  throw new UserError(`The boot loader "${wanted}" cannot boot a system of ostree`, {
    hint: "Give --bootloader grub or none",
  });
}

/**
 * The way to boot that an image can do: by bootupd where it has that, else by its GRUB.
 * @throws {UserError} when it has none
 */
export function chooseBootLoader(
  files: BootFiles,
  wanted: OstreeBootloader | undefined,
  options: BootupdOptions = { genericImage: false, skipBootUuid: false },
): BootLoader {
  if (wanted === "none") return noBootLoader;
  if (files.bootupd) return new Bootupd(options);
  if (files.blscfg) return new GrubBls(files);
  if (files.syslinuxcfg) return new GrubSyslinux(files);
  throw new UserError("The image has no boot loader that could be installed", {
    hint: "Install GRUB into the image (grub-pc-bin, grub-efi-amd64-bin and grub2-common), or give --bootloader none",
  });
}
