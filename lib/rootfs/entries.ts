/** The way through a tree for whoever needs all of it: what cannot be read is an error, and the caller sets the pace. */
import { binaryString, displayPath, fromBinaryString } from "../ostree/objects.ts";
import { UserError } from "../sys/errors.ts";
import { type Bytes, LibcError, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, openat } from "../sys/libc.ts";
import { type FileStat, fstat } from "../sys/libc_stat.ts";
import { readXattrsAt } from "../sys/libc_xattr.ts";
import { Descriptor } from "../sys/descriptor.ts";
import type { Directory } from "./root.ts";

/** A name on the way; names and paths are binary strings. */
export interface TreeEntry {
  /** From the root, without a leading slash. */
  readonly path: string;
  readonly name: string;
  /** The directory that has it; open until the next entry is asked for. */
  readonly directory: Directory;
  readonly stat: FileStat;
}

/**
 * Each name below an open directory, a directory before what is in it, names in the order of their bytes. Links are not followed. A
 * directory on which something is mounted is given, but not what is in it. Paths that `leaveOut` knows are passed over, with all below them.
 * @throws {UserError} naming what cannot be read
 */
export function* entriesBelow(
  directory: Directory,
  leaveOut: (path: string) => boolean,
  prefix = "",
): Generator<TreeEntry> {
  const { device } = reading(prefix, () => directory.stat());
  for (const { name } of reading(prefix, () => directory.names())) {
    const path = prefix + name;
    if (leaveOut(path)) continue;
    const stat = reading(path, () => directory.lstat(name)) ?? gone(path);
    yield { path, name, directory, stat };
    if (stat.type !== "directory" || (stat.isMountPoint ?? stat.device !== device)) continue;
    using below = reading(path, () => directory.open(name)) ?? gone(path);
    yield* entriesBelow(below, leaveOut, `${path}/`);
  }
}

/** @throws {UserError} always: what was seen is not there any more */
export function gone(path: string): never {
  throw new UserError(`Cannot read ${quoted(path)}: it was removed meanwhile`);
}

/** Does something with a path, and names it where that fails. @throws {UserError} */
export function reading<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    if (!(cause instanceof LibcError)) throw cause;
    throw new UserError(`Cannot read ${quoted(path)}`, { cause });
  }
}

/** A path as errors show it. */
export function quoted(path: string): string {
  return `"${displayPath(path) || "."}"`;
}

/** A regular file that is open. */
export interface OpenFile extends Disposable {
  readonly fd: number;
  readonly stat: FileStat;
}

/**
 * Opens a regular file for reading; what else has the name is not touched, since opening a device or FIFO may do something.
 * @throws {UserError} naming `path`, also where it is no regular file
 */
export function openFile(directory: Directory, name: string, path: string): OpenFile {
  return reading(path, () => {
    const seen = directory.lstat(name) ?? gone(path);
    if (seen.type !== "file") throw new UserError(`Cannot read ${quoted(path)}: it is a ${seen.type}, no file`);
    const file = new Descriptor(openat(directory.fd, nameBytes(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    return { fd: file.fd, stat: fstat(file.fd), [Symbol.dispose]: () => file[Symbol.dispose]() };
  });
}

/** The extended attributes of an entry; their names are binary strings. @throws {UserError} */
export function xattrsOf({ path, name, directory }: TreeEntry): { readonly key: string; readonly value: Bytes }[] {
  return reading(path, () => readXattrsAt(directory.fd, nameBytes(name)))
    .map(([key, value]) => ({ key: binaryString(key), value }));
}

function nameBytes(name: string): Bytes {
  return fromBinaryString(`${name}\0`);
}
