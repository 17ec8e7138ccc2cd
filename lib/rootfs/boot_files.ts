/** Kernel and initramfs once more in /boot, where installers look that know nothing of /usr/lib/modules. */
import { findKernel } from "../host/bootable.ts";
import type { TarHeader } from "../codec/tar_write.ts";
import { UserError } from "../sys/errors.ts";
import type { FileStat } from "../sys/libc_stat.ts";
import { gone, type OpenFile, openFile, quoted } from "./entries.ts";
import { findRootKernel, listTree } from "./kernel.ts";
import type { Root } from "./root.ts";

type Xattrs = NonNullable<TarHeader["xattrs"]>;

/** An archive in the making. */
export interface BootArchive {
  addFile(path: string, file: OpenFile, xattrs: Xattrs): Promise<void>;
  addDirectory(path: string): void;
  /** The attributes of what only the archive has. */
  labelOf(path: string, stat: Pick<FileStat, "typeAndMode">): Xattrs;
}

/** What goes to /boot beside what is there. */
export interface BootFiles {
  /** The directory that has the kernel; undefined for a unified kernel image, which is in /boot already. */
  readonly directory?: string;
  /** Path in the archive to name in the directory. */
  readonly files: ReadonlyMap<string, string>;
}

/** @throws {UserError} unless the root has one kernel */
export async function bootFilesOf(root: Root): Promise<BootFiles> {
  if ((await findRootKernel(root))?.unified) return { files: new Map() };
  const { version, directory } = await findKernel(listTree(root));
  return {
    directory,
    files: new Map([
      [`boot/vmlinuz-${version}`, "vmlinuz"],
      [`boot/initramfs-${version}.img`, "initramfs.img"],
    ]),
  };
}

/**
 * Adds them behind all that the root has, and the directories that it lacks; the root's own files of these names must not be in the archive.
 * @throws {UserError}
 */
export async function addBootFiles(archive: BootArchive, root: Root, boot: BootFiles): Promise<void> {
  // liveimg's boot loader step writes to boot/grub2, and does not make it.
  for (const path of ["boot", "boot/grub2"]) {
    const type = root.stat(path)?.type;
    if (type === undefined) archive.addDirectory(path);
    else if (type !== "directory") throw new UserError(`Cannot add the kernel to /boot: ${quoted(path)} is a ${type}`);
  }
  if (boot.directory === undefined) return;
  using directory = root.open(boot.directory) ?? gone(boot.directory);
  for (const [path, name] of boot.files) {
    using file = openFile(directory, name, `${boot.directory}/${name}`);
    await archive.addFile(path, file, archive.labelOf(path, file.stat));
  }
}
