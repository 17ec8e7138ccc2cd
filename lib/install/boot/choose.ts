/** Which boot loader an image gets. */
import { UserError } from "../../sys/errors.ts";
import type { Bootloader } from "../config.ts";
import type { BootLoader, GrubFiles } from "./boot_loader.ts";
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
