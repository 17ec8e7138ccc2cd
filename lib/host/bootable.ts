/** Whether an image can be booted on this machine (row U21), decided from its tree and its configuration. */
import { type ImageConfig, ociArchitecture } from "../oci/config.ts";
import { UserError } from "../sys/errors.ts";

/** A name in a directory of a commit. */
export interface TreeEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "symlink";
}

/** The names in a directory, given from the root without a leading slash; undefined where there is no such directory. */
export type ListTree = (path: string) => readonly TreeEntry[] | undefined | Promise<readonly TreeEntry[] | undefined>;

/** Where a bootable tree has its kernel. */
export interface Kernel {
  /** The directory's name, which is what `uname -r` will say. */
  readonly version: string;
  /** `usr/lib/modules/VERSION` */
  readonly directory: string;
}

/** Where an image has its kernels. */
export const MODULES = "usr/lib/modules";

/** Directories of {@linkcode MODULES} that hold `vmlinuz`; the others are modules without a kernel, which does no harm. */
export async function kernelDirectories(list: ListTree): Promise<{ version: string; names: ReadonlySet<string> }[]> {
  const found = [];
  for (const { name, kind } of await list(MODULES) ?? []) {
    if (kind !== "directory") continue;
    const inside = await list(`${MODULES}/${name}`) ?? [];
    const names = new Set(inside.filter((entry) => entry.kind !== "directory").map((entry) => entry.name));
    if (names.has("vmlinuz")) found.push({ version: name, names });
  }
  return found;
}

/** @throws {UserError} when there is no kernel, more than one, or no initramfs beside it */
export async function findKernel(list: ListTree): Promise<Kernel> {
  const [kernel, second] = await kernelDirectories(list);
  if (kernel === undefined) {
    throw new UserError(`Image has no kernel: no "vmlinuz" in a directory of "${MODULES}"`, {
      hint: "Build the image from a bootable base image",
    });
  }
  if (second !== undefined) {
    throw new UserError(`Found multiple subdirectories in ${MODULES}`, {
      hint: `Remove one of the kernels "${kernel.version}" and "${second.version}" from the image`,
    });
  }
  const directory = `${MODULES}/${kernel.version}`;
  if (!kernel.names.has("initramfs.img")) {
    throw new UserError(`Image has no initramfs: no "initramfs.img" in "${directory}"`, {
      hint: "Run dracut when the image is built",
    });
  }
  return { version: kernel.version, directory };
}

/** Each alone makes an image bootable, whatever its value (trap T18). */
const OSTREE_LABEL = "ostree.bootable";
const BOOTC_LABEL = "containers.bootc";

/** Remarks on an image's labels, which stop nothing. */
export function labelNotices(config: ImageConfig): string[] {
  return Object.hasOwn(config.labels, BOOTC_LABEL) ? [] : [`notice: Image is missing label: ${BOOTC_LABEL}`];
}

/**
 * Refuses an image that is not made for booting, or not for this machine. Gives remarks that do not stop anything.
 * @throws {UserError}
 */
export function checkImageConfig(config: ImageConfig, architecture: string = ociArchitecture()): string[] {
  if (!Object.hasOwn(config.labels, BOOTC_LABEL) && !Object.hasOwn(config.labels, OSTREE_LABEL)) {
    throw new UserError(`Target image does not have ${OSTREE_LABEL} label`, {
      hint: `Build it from a bootable base image, or with LABEL ${BOOTC_LABEL}=1`,
    });
  }
  if (config.architecture !== architecture) {
    throw new UserError(`Image has architecture ${config.architecture}; expected ${architecture}`, {
      hint: `Use an image that was built for ${architecture}`,
    });
  }
  return labelNotices(config);
}
