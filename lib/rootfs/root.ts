/**
 * A read-only view of a root file system in a directory. Paths start at that root, without a leading slash, and are binary strings (a
 * character a byte), so that names that are no UTF-8 are seen. Links are followed as they would be on the running system, that is with this
 * directory as `/`: one that leads out of it, by `..` or by a leading slash, does not.
 */
import { binaryString, fromBinaryString } from "../ostree/objects.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { UserError } from "../sys/errors.ts";
import * as libc from "../sys/libc.ts";
import {
  EACCES,
  ELOOP,
  ENOTDIR,
  type FileStat,
  type FileType,
  fstat,
  lstatAt,
  O_PATH,
  readLinkAt,
  typeOfDirent,
} from "../sys/libc_stat.ts";
import { quotePath } from "./quote.ts";

/** As many as the kernel follows. */
const LINKS_LIMIT = 40;
const FILE_MAX_BYTES = 4 << 20;
const SEARCH = O_PATH | libc.O_DIRECTORY | libc.O_NOFOLLOW;

/** A {@linkcode binaryString} as C wants it. */
function cname(name: string): libc.Bytes {
  return fromBinaryString(`${name}\0`);
}

/** An open directory, and a name in it that is no link, or is not to be followed. */
interface Place extends Disposable {
  readonly fd: number;
  readonly name: string;
}

/** A name in a directory. */
export interface NameIn {
  readonly name: string;
  readonly type: FileType;
}

/** A directory that is held open, so that nobody can change what is meant by it. */
export class Directory implements Disposable {
  constructor(readonly fd: number) {}

  [Symbol.dispose](): void {
    libc.close(this.fd);
  }

  /** @throws {LibcError} */
  stat(): FileStat {
    return fstat(this.fd);
  }

  /** The names in order of their bytes. @throws {LibcError} */
  names(): NameIn[] {
    const names: NameIn[] = [];
    libc.eachName(this.fd, (bytes, start, end, dirent) => {
      const name = binaryString(bytes, start, end);
      const type = typeOfDirent(dirent) ?? this.lstat(name)?.type;
      if (type !== undefined) names.push({ name, type });
    });
    return names.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** @throws {LibcError} */
  lstat(name: string): FileStat | undefined {
    return lstatAt(this.fd, cname(name));
  }

  /** @throws {LibcError} */
  readLink(name: string): string | undefined {
    const target = readLinkAt(this.fd, cname(name));
    return target && binaryString(target);
  }

  /** A directory in this one; undefined where there is none by this name, a link included. @throws {LibcError} */
  open(name: string): Directory | undefined {
    return openOptional(this.fd, name, libc.O_DIRECTORY | libc.O_NOFOLLOW, (fd) => new Directory(fd));
  }
}

function openOptional<T>(dirfd: number, name: string, flags: number, use: (fd: number) => T): T | undefined {
  try {
    return use(libc.openat(dirfd, cname(name), flags));
  } catch (error) {
    if (!(error instanceof libc.LibcError)) throw error;
    if ([libc.ENOENT, ENOTDIR, ELOOP].includes(error.errno)) return undefined;
    throw error;
  }
}

/** Whether a failure is only a want of permission. */
export function isRefused(error: unknown): boolean {
  return error instanceof libc.LibcError && error.errno === EACCES;
}

/** The root of the tree. */
export class Root implements Disposable {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens the root; links in `path` are the operator's own and are followed. @throws {UserError} */
  static open(path: string): Root {
    try {
      return new Root(libc.openat(libc.AT_FDCWD, libc.cstr(path), O_PATH | libc.O_DIRECTORY));
    } catch (cause) {
      if (!(cause instanceof libc.LibcError)) throw cause;
      throw new UserError(`Cannot open the root file system "${path}"`, { cause });
    }
  }

  [Symbol.dispose](): void {
    libc.close(this.#fd);
  }

  /** What is at a path, where a link is a link; undefined where nothing is. @throws {UserError} */
  stat(path: string): FileStat | undefined {
    return this.#at(path, { follow: false }, (place) => lstatAt(place.fd, cname(place.name)));
  }

  /** Whether something is mounted at a path, which makes it no part of an image. @throws {UserError} */
  isMountPoint(path: string): boolean {
    const own = this.stat(path);
    return own !== undefined && (own.isMountPoint ?? own.device !== this.stat("")!.device);
  }

  /** Where a link leads, as it is written; undefined where there is no link. @throws {UserError} */
  readLink(path: string): string | undefined {
    return this.#at(path, { follow: false }, (place) => {
      const target = readLinkAt(place.fd, cname(place.name));
      return target && binaryString(target);
    });
  }

  /** Opens a directory, also behind links; undefined where there is none. @throws {UserError} */
  open(path: string): Directory | undefined {
    return this.#at(path, { follow: true }, (place) => new Directory(place.fd).open(place.name));
  }

  /** The names in a directory, in order of their bytes; undefined where there is none. @throws {UserError} */
  names(path: string): NameIn[] | undefined {
    return guarded(path, () => {
      using directory = this.open(path);
      return directory?.names();
    });
  }

  /**
   * The content of a regular file, also behind links; undefined where there is none, also where a device or FIFO has the name.
   * @throws {UserError} when it cannot be read, or is larger than `limitBytes`
   */
  readFile(path: string, limitBytes = FILE_MAX_BYTES): libc.Bytes | undefined {
    return this.#at(path, { follow: true }, (place) => {
      // Looked at before it is opened: opening a device may do something.
      if (lstatAt(place.fd, cname(place.name))?.type !== "file") return undefined;
      return openOptional(place.fd, place.name, libc.O_NOFOLLOW | libc.O_NONBLOCK, (fd) => {
        const { sizeBytes } = fstat(fd);
        if (sizeBytes <= limitBytes) return libc.readWhole(fd);
        libc.close(fd);
        throw new UserError(
          `File ${quotePath(`/${path}`)} has ${sizeBytes} bytes, more than the ${limitBytes} expected`,
        );
      });
    });
  }

  /** A regular file, also behind links, open for reading; undefined where there is none. @throws {UserError} */
  openFile(path: string): Descriptor | undefined {
    return this.#at(path, { follow: true }, (place) => {
      if (lstatAt(place.fd, cname(place.name))?.type !== "file") return undefined;
      return openOptional(place.fd, place.name, libc.O_NOFOLLOW | libc.O_NONBLOCK, (fd) => new Descriptor(fd));
    });
  }

  /** The identity of the directory that holds a path's last name, and that name; undefined where there is no such directory. @throws {UserError} */
  parent(path: string): { readonly identity: string; readonly name: string } | undefined {
    return this.#at(path, { follow: false }, ({ fd, name }) => ({ identity: fstat(fd).identity, name }));
  }

  #at<T>(path: string, options: { follow: boolean }, use: (place: Place) => T | undefined): T | undefined {
    return guarded(path, () => {
      using place = this.#resolve(path, options);
      return place && use(place);
    });
  }

  /** Goes to a path name by name, and back to the root for each link with a leading slash. @throws {LibcError} */
  #resolve(path: string, { follow }: { follow: boolean }): Place | undefined {
    const way = [this.#fd];
    using opened = new DisposableStack();
    let ahead = names(path);
    for (let links = 0; ahead.length > 0;) {
      const [name, ...rest] = ahead as [string, ...string[]];
      const last = rest.length === 0;
      if (name === "..") {
        if (way.length > 1) way.pop();
      } else if (last && !follow) {
        return placeAt(way.at(-1)!, name);
      } else {
        const target = readLinkAt(way.at(-1)!, cname(name));
        if (target !== undefined) {
          if (++links > LINKS_LIMIT) return undefined;
          const text = binaryString(target);
          if (text.startsWith("/")) way.length = 1;
          ahead = [...names(text), ...rest];
          continue;
        }
        if (last) return placeAt(way.at(-1)!, name);
        const below = openOptional(way.at(-1)!, name, SEARCH, (fd) => fd);
        if (below === undefined) return undefined;
        opened.defer(() => libc.close(below));
        way.push(below);
      }
      ahead = rest;
    }
    return placeAt(way.at(-1)!, ".");
  }
}

/** A descriptor of its own, which outlives the way to it. */
function placeAt(dirfd: number, name: string): Place {
  const fd = libc.openat(dirfd, cname("."), O_PATH | libc.O_DIRECTORY);
  return { fd, name, [Symbol.dispose]: () => libc.close(fd) };
}

function names(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function guarded<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    if (!(cause instanceof libc.LibcError)) throw cause;
    throw new UserError(`Cannot look at ${quotePath(`/${path}`)}`, { cause });
  }
}
