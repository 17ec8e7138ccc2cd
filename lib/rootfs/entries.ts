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
  // No recursion: a tree may be deeper than the call stack.
  using way = new Way();
  way.push(levelOf(directory, prefix));
  for (let level; (level = way.last) !== undefined;) {
    const name = level.names.pop();
    if (name === undefined) {
      way.pop();
      continue;
    }
    const path = level.prefix + name, { directory } = level;
    if (leaveOut(path)) continue;
    const stat = reading(path, () => directory.lstat(name)) ?? gone(path);
    yield { path, name, directory, stat };
    if (stat.type !== "directory" || (stat.isMountPoint ?? stat.device !== level.device)) continue;
    way.push(reading(path, () => belowOf(directory, name, path)));
  }
}

/** A directory on the way, and the names in it that are still to come, the last one first. */
interface Level {
  readonly directory: Directory;
  readonly prefix: string;
  readonly device: string;
  readonly names: string[];
}

function levelOf(directory: Directory, prefix: string): Level {
  return reading(prefix, () => {
    const { device } = directory.stat();
    return { directory, prefix, device, names: directory.names().map(({ name }) => name).reverse() };
  });
}

function belowOf(parent: Directory, name: string, path: string): Level {
  const directory = parent.open(name) ?? gone(path);
  try {
    return levelOf(directory, `${path}/`);
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
}

/** The directories from the first, which is the caller's own, to where the walk is. */
class Way implements Disposable {
  readonly #levels: Level[] = [];

  get last(): Level | undefined {
    return this.#levels.at(-1);
  }

  push(level: Level): void {
    this.#levels.push(level);
  }

  pop(): void {
    const level = this.#levels.pop();
    if (this.#levels.length > 0) level?.directory[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    while (this.#levels.length > 0) this.pop();
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
