/** Kernel and initramfs out of a root, for builds that make an image of their own of them. */
import { findKernel } from "../host/bootable.ts";
import { displayPath, fromBinaryString } from "../ostree/objects.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { UserError } from "../sys/errors.ts";
import {
  AT_FDCWD,
  cstr,
  eachName,
  fchmod,
  fchown,
  fsync,
  LibcError,
  linkat,
  mkdirat,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_WRONLY,
  openat,
  openDirectoryAt,
  read,
  renameat,
  unlinkat,
  writeAll,
} from "../sys/libc.ts";
import { type OpenFile, openFile } from "./entries.ts";
import { findRootKernel, listTree } from "./kernel.ts";
import { Root } from "./root.ts";

/** Where the kernel went. */
export interface SplitKernel {
  readonly version: string;
  /** `OUTPUT/VERSION`, with `vmlinuz` and `initramfs.img`. */
  readonly directory: string;
}

const FILES = ["vmlinuz", "initramfs.img"];

/**
 * Moves kernel and initramfs of a root to OUTPUT/VERSION; OUTPUT is made, or is empty. Both files are there first, linked or, on another file
 * system, copied with mode, owner and time; then they go from the root. Commit point: the rename of VERSION. A power cut before it leaves the
 * root as it was and a `.bootc-tmp-*` in OUTPUT; one after it OUTPUT whole, and either file perhaps still in the root.
 * @throws {UserError}
 */
export async function splitKernel(root: string, output: string): Promise<SplitKernel> {
  using tree = Root.open(root);
  const found = await findRootKernel(tree);
  if (found?.unified) {
    throw new UserError(`Cannot split "${root}": UKIs are not supported, and "${found.version}" is one`);
  }
  const kernel = await findKernel(listTree(tree));
  using source = tree.open(kernel.directory)!;
  const version = displayPath(kernel.version);
  const moved = { version, directory: `${output.replace(/\/+$/, "")}/${version}` };
  try {
    using target = await openOutput(output);
    await writeAside(target.fd, kernel.version, async (directory) => {
      for (const name of FILES) {
        using file = openFile(source, name, `${kernel.directory}/${name}`);
        await linkOrCopy(source.fd, file, directory, name);
      }
    });
  } catch (cause) {
    if (!(cause instanceof LibcError)) throw cause;
    throw new UserError(`Cannot write "${moved.directory}"`, { cause });
  }
  await removeFrom(source.fd, `${root}/${kernel.directory}`);
  return moved;
}

async function openOutput(path: string): Promise<Descriptor> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (cause) {
    throw new UserError(`Cannot make the directory "${path}"`, { cause });
  }
  const directory = new Descriptor(openat(AT_FDCWD, cstr(path), O_RDONLY | O_DIRECTORY));
  let isEmpty = true;
  eachName(directory.fd, () => isEmpty = false);
  if (isEmpty) return directory;
  directory[Symbol.dispose]();
  throw new UserError(`Directory "${path}" is not empty`, {
    hint: "Give a new directory; if a run before was cut short, what it made can be removed",
  });
}

/** Fills a directory under another name and gives it its own when it is whole and on disk. */
async function writeAside(parent: number, name: string, fill: (directory: number) => Promise<void>): Promise<void> {
  const asideName = `.bootc-tmp-${crypto.randomUUID().slice(0, 8)}`, aside = cstr(asideName);
  mkdirat(parent, aside, 0o755);
  using directory = new Descriptor(openDirectoryAt(parent, asideName));
  try {
    await fill(directory.fd);
    await fsync(directory.fd);
    renameat(parent, aside, parent, fromBinaryString(`${name}\0`));
  } catch (error) {
    for (const name of FILES) unlinkat(directory.fd, cstr(name));
    unlinkat(parent, aside, AT_REMOVEDIR);
    throw error;
  }
  await fsync(parent);
}

const AT_REMOVEDIR = 0x200;
/** Another file system, one without hardlinks, too many of them. */
const NO_LINK = [18, 1, 31];

async function linkOrCopy(source: number, file: OpenFile, directory: number, name: string): Promise<void> {
  try {
    linkat(source, cstr(name), directory, cstr(name));
  } catch (error) {
    if (!(error instanceof LibcError && NO_LINK.includes(error.errno))) throw error;
    await copy(file, directory, name);
  }
}

async function copy({ fd, stat }: OpenFile, directory: number, name: string): Promise<void> {
  using target = new Descriptor(openat(directory, cstr(name), O_WRONLY | O_CREAT | O_EXCL, 0o600));
  const buffer = new Uint8Array(1 << 20);
  for (let length; (length = read(fd, buffer)) > 0;) writeAll(target.fd, buffer.subarray(0, length));
  fchown(target.fd, stat.uid, stat.gid);
  fchmod(target.fd, stat.mode);
  await Deno.utime(`/proc/self/fd/${target.fd}`, stat.mtimeSeconds, stat.mtimeSeconds);
  await fsync(target.fd);
}

async function removeFrom(source: number, path: string): Promise<void> {
  try {
    for (const name of FILES) unlinkat(source, cstr(name));
    await fsync(source);
  } catch (cause) {
    if (!(cause instanceof LibcError)) throw cause;
    throw new UserError(`Cannot remove kernel and initramfs from "${path}", which the output has now`, { cause });
  }
}
