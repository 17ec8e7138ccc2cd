/** What the kernel knows of a name: type, owner, size, identity. Links are never followed. */
import { type Bytes, c, errno, fail, LibcError } from "./libc_table.ts";

export const EACCES = 13;
export const ENOTDIR = 20;
export const EINVAL = 22;
export const ELOOP = 40;
/** A descriptor that is only a place: it can be looked at and opened below, but not read. */
export const O_PATH = 0o10000000;

const ENOENT = 2;
const AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000, AT_NO_AUTOMOUNT = 0x800;
const STATX_BASIC_STATS = 0x7ff;
const STATX_ATTR_MOUNT_ROOT = 0x2000;
const PATH_MAX = 4096;

/** The type bits of a mode. */
const TYPES = {
  0o010000: "fifo",
  0o020000: "character device",
  0o040000: "directory",
  0o060000: "block device",
  0o100000: "file",
  0o120000: "symlink",
  0o140000: "socket",
} as const;

export type FileType = typeof TYPES[keyof typeof TYPES];

function typeOf(mode: number): FileType {
  return (TYPES as Readonly<Record<number, FileType>>)[mode & 0o170000] ?? "file";
}

/** A `DT_` constant of {@linkcode eachName} as a type; undefined where the file system did not tell. */
export function typeOfDirent(type: number): FileType | undefined {
  return type === 0 ? undefined : typeOf(type << 12);
}

/** One name's metadata. */
export interface FileStat {
  readonly type: FileType;
  /** Permissions with set-id and sticky bits, without the type. */
  readonly mode: number;
  /** The same with the type's bits, as `st_mode` has them. */
  readonly typeAndMode: number;
  /** How many names it has. */
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** Whole seconds since 1970; negative before. */
  readonly mtimeSeconds: number;
  /** What a device node stands for. */
  readonly node: { readonly major: number; readonly minor: number };
  /** Device and inode: equal for two names of the same thing. */
  readonly identity: string;
  readonly device: string;
  /** Something is mounted here; undefined where the kernel does not tell (before Linux 5.8). */
  readonly isMountPoint: boolean | undefined;
}

const buffer = new Uint8Array(256);
const view = new DataView(buffer.buffer);

function call(dirfd: number, path: Bytes, flags: number): number {
  return c.statx(dirfd, path, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, buffer);
}

/** Source: `struct statx` of Linux `include/uapi/linux/stat.h`, the same on every architecture. */
function parse(): FileStat {
  const mode = view.getUint16(28, true);
  const attributes = Number(view.getBigUint64(8, true) & 0xffffn);
  const known = Number(view.getBigUint64(56, true) & 0xffffn);
  const device = `${view.getUint32(136, true)}:${view.getUint32(140, true)}`;
  return {
    type: typeOf(mode),
    mode: mode & 0o7777,
    typeAndMode: mode,
    links: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    sizeBytes: Number(view.getBigUint64(40, true)),
    mtimeSeconds: Number(view.getBigInt64(112, true)),
    node: { major: view.getUint32(128, true), minor: view.getUint32(132, true) },
    identity: `${device}:${view.getBigUint64(32, true)}`,
    device,
    isMountPoint: known & STATX_ATTR_MOUNT_ROOT ? (attributes & STATX_ATTR_MOUNT_ROOT) !== 0 : undefined,
  };
}

/** Looks at a name below a directory; undefined where there is none. @throws {LibcError} */
export function lstatAt(dirfd: number, path: Bytes): FileStat | undefined {
  if (call(dirfd, path, 0) === 0) return parse();
  const e = errno();
  if (e === ENOENT || e === ENOTDIR) return undefined;
  throw new LibcError("statx", e);
}

/** Looks at what a descriptor is. @throws {LibcError} */
export function fstat(fd: number): FileStat {
  if (call(fd, new Uint8Array(1), AT_EMPTY_PATH) < 0) fail("statx");
  return parse();
}

const link = new Uint8Array(PATH_MAX);

/** Where a symlink leads, as it is written; undefined where the name is none, or is not there. @throws {LibcError} */
export function readLinkAt(dirfd: number, path: Bytes): Bytes | undefined {
  const length = Number(c.readlinkat(dirfd, path, link, BigInt(PATH_MAX)));
  if (length >= 0) return link.slice(0, length);
  const e = errno();
  if (e === EINVAL || e === ENOENT || e === ENOTDIR) return undefined;
  throw new LibcError("readlinkat", e);
}
