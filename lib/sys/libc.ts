/**
 * Files, memory and libraries: the part of libc that Deno has no name for. Calls are relative to an open directory, paths are NUL-terminated
 * bytes ({@linkcode cstr}) so that hot callers can reuse one buffer, and a wrapper turns -1 into {@linkcode LibcError} at once.
 */
import { UserError } from "./errors.ts";
import { type Bytes, c, cstr, errno, fail, LibcError } from "./libc_table.ts";

export { address, type Bytes, cstr, LibcError } from "./libc_table.ts";

export const AT_FDCWD = -100;
export const O_RDONLY = 0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
/** Differs by architecture: Linux asm-generic against arm and arm64 (`asm/fcntl.h`). */
export const O_DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;
export const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;
export const O_CLOEXEC = 0o2000000;
const AT_SYMLINK_NOFOLLOW = 0x100;

export const ENOENT = 2;
export const EINTR = 4;
export const EAGAIN = 11;
export const EEXIST = 17;
export const ENOTEMPTY = 39;

/** @throws {LibcError} */
export function openat(dirfd: number, path: Bytes, flags: number, mode = 0): number {
  const fd = c.openat(dirfd, path, flags | O_CLOEXEC, mode);
  return fd < 0 ? fail("openat") : fd;
}

/** Opens a directory below another; never follows a link. @throws {LibcError} */
export function openDirectoryAt(dirfd: number, name: string): number {
  return openat(dirfd, cstr(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** Bytes read, 0 at the end. @throws {LibcError} */
export function read(fd: number, buffer: Bytes): number {
  for (;;) {
    const n = Number(c.read(fd, buffer, BigInt(buffer.length)));
    if (n >= 0) return n;
    if (errno() !== EINTR) fail("read");
  }
}

/** Like {@linkcode read} for a nonblocking descriptor: -1 where nothing is there yet. @throws {LibcError} */
export function tryRead(fd: number, buffer: Bytes): number {
  for (;;) {
    const n = Number(c.read(fd, buffer, BigInt(buffer.length)));
    if (n >= 0) return n;
    const e = errno();
    if (e === EAGAIN) return -1;
    if (e !== EINTR) throw new LibcError("read", e);
  }
}

/** All of a file, which is closed. @throws {LibcError} */
export function readWhole(fd: number): Bytes {
  let buffer = new Uint8Array(8192);
  let length = 0;
  try {
    for (;;) {
      const n = read(fd, buffer.subarray(length));
      if (n === 0) return buffer.subarray(0, length);
      length += n;
      if (length === buffer.length) {
        const larger = new Uint8Array(length * 2);
        larger.set(buffer);
        buffer = larger;
      }
    }
  } finally {
    close(fd);
  }
}

/** Writes all of it. @throws {LibcError} */
export function writeAll(fd: number, buffer: Bytes): void {
  let done = Number(c.write(fd, buffer, BigInt(buffer.length)));
  if (done === buffer.length) return;
  for (;;) {
    if (done < 0) {
      if (errno() !== EINTR) fail("write");
      done = 0;
    }
    buffer = buffer.subarray(done);
    if (buffer.length === 0) return;
    done = Number(c.write(fd, buffer, BigInt(buffer.length)));
  }
}

/** Closes a descriptor; its errors would tell nothing that fsync has not told. */
export function close(fd: number): void {
  c.close(fd);
}

/** @throws {LibcError} */
export function fchown(fd: number, uid: number, gid: number): void {
  if (c.fchown(fd, uid, gid) < 0) fail("fchown");
}

/** @throws {LibcError} */
export function fchmod(fd: number, mode: number): void {
  if (c.fchmod(fd, mode) < 0) fail("fchmod");
}

const UTIME_OMIT = 0x3ffffffen;
const EPOCH = new BigInt64Array([0n, UTIME_OMIT, 0n, 0n]);

/** Sets the modification time to the epoch, as libostree does for its objects. @throws {LibcError} */
export function touchEpoch(fd: number): void {
  if (c.futimens(fd, EPOCH) < 0) fail("futimens");
}

/** @throws {LibcError} */
export function fsetxattr(fd: number, name: Bytes, value: Bytes): void {
  if (c.fsetxattr(fd, name, value, BigInt(value.length), 0) < 0) fail("fsetxattr");
}

/** Sets an attribute of a path itself, also of a symlink. @throws {LibcError} */
export function lsetxattr(path: Bytes, name: Bytes, value: Bytes): void {
  if (c.lsetxattr(path, name, value, BigInt(value.length), 0) < 0) fail("lsetxattr");
}

/** Changes the owner of a name, never of what a link points at. @throws {LibcError} */
export function lchownat(dirfd: number, path: Bytes, uid: number, gid: number): void {
  if (c.fchownat(dirfd, path, uid, gid, AT_SYMLINK_NOFOLLOW) < 0) fail("fchownat");
}

/** Whether a name is there, links not followed. */
export function existsAt(dirfd: number, path: Bytes): boolean {
  return c.faccessat(dirfd, path, 0, AT_SYMLINK_NOFOLLOW) === 0;
}

/** Makes a directory; false where it is there already. @throws {LibcError} */
export function mkdirat(dirfd: number, path: Bytes, mode: number): boolean {
  if (c.mkdirat(dirfd, path, mode) === 0) return true;
  const e = errno();
  if (e !== EEXIST) throw new LibcError("mkdirat", e);
  return false;
}

/** Removes a name; false where it is not there. @throws {LibcError} */
export function unlinkat(dirfd: number, path: Bytes, flags = 0): boolean {
  if (c.unlinkat(dirfd, path, flags) === 0) return true;
  const e = errno();
  if (e !== ENOENT) throw new LibcError("unlinkat", e);
  return false;
}

/** @throws {LibcError} */
export function renameat(oldDirfd: number, oldPath: Bytes, newDirfd: number, newPath: Bytes): void {
  if (c.renameat(oldDirfd, oldPath, newDirfd, newPath) < 0) fail("renameat");
}

/** Lets two names change places at once; false where the file system cannot. */
export function exchangeAt(oneDirfd: number, one: Bytes, otherDirfd: number, other: Bytes): boolean {
  const RENAME_EXCHANGE = 2;
  return c.renameat2(oneDirfd, one, otherDirfd, other, RENAME_EXCHANGE) === 0;
}

/** A second name for a file; one that is there already is left as it is. @throws {LibcError} */
export function linkat(oldDirfd: number, oldPath: Bytes, newDirfd: number, newPath: Bytes): void {
  if (c.linkat(oldDirfd, oldPath, newDirfd, newPath, 0) === 0) return;
  const e = errno();
  if (e !== EEXIST) throw new LibcError("linkat", e);
}

/** @throws {LibcError} */
export function symlinkat(target: Bytes, dirfd: number, path: Bytes): void {
  if (c.symlinkat(target, dirfd, path) < 0) fail("symlinkat");
}

const DIRENT_NAME = 19;

/**
 * Calls `visit` with each name of an open directory but `.` and `..`, as `bytes[start, end)` with a NUL behind; the buffer is reused. No object
 * or string a name, so that a directory of any size leaves no garbage. What is made or removed meanwhile may be seen or not. `type` is the
 * `DT_` constant, 0 where the file system does not tell.
 * @throws {LibcError}
 */
export function eachName(fd: number, visit: (bytes: Bytes, start: number, end: number, type: number) => void): void {
  const buffer = new Uint8Array(32 << 10);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const length = Number(c.getdents64(fd, buffer, BigInt(buffer.length)));
    if (length < 0) fail("getdents64");
    if (length === 0) return;
    for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
      const start = at + DIRENT_NAME;
      const end = buffer.indexOf(0, start);
      const dots = buffer[start] === 0x2e && (end === start + 1 || (end === start + 2 && buffer[start + 1] === 0x2e));
      if (!dots) visit(buffer, start, end, buffer[start - 1]!);
    }
  }
}

/** Of calls on a pool thread, where errno is not known. */
function notSynced(call: string): UserError {
  return new UserError(`Cannot bring data to the disk: ${call} failed`, {
    hint: "See the kernel's log for what the disk said",
  });
}

/** fsync on a pool thread. @throws {UserError} when it fails */
export async function fsync(fd: number): Promise<void> {
  if (await c.fsync(fd) < 0) throw notSynced("fsync");
}

/** syncfs on a pool thread: everything of the file system that holds `fd`. @throws {UserError} when it fails */
export async function syncfs(fd: number): Promise<void> {
  if (await c.syncfs(fd) < 0) throw notSynced("syncfs");
}

/** Room on a file system. */
export interface DiskSpace {
  /** Bytes that an unprivileged user may still take. */
  readonly availableBytes: number;
  readonly totalBytes: number;
  readonly blockBytes: number;
  /** The medium is mounted read-only. */
  readonly readOnly: boolean;
}

function parseStatvfs(buffer: Bytes): DiskSpace {
  const view = new DataView(buffer.buffer);
  const unit = Number(view.getBigUint64(8, true));
  return {
    blockBytes: unit,
    totalBytes: Number(view.getBigUint64(16, true)) * unit,
    availableBytes: Number(view.getBigUint64(32, true)) * unit,
    readOnly: (Number(view.getBigUint64(72, true)) & 1) === 1,
  };
}

/** @throws {LibcError} */
export function fstatvfs(fd: number): DiskSpace {
  const buffer = new Uint8Array(128);
  if (c.fstatvfs(fd, buffer) < 0) fail("fstatvfs");
  return parseStatvfs(buffer);
}

/** @throws {LibcError} */
export function statvfs(path: string): DiskSpace {
  const buffer = new Uint8Array(128);
  if (c.statvfs(cstr(path), buffer) < 0) fail(`statvfs "${path}"`);
  return parseStatvfs(buffer);
}

const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;

/** Makes a descriptor nonblocking. @throws {LibcError} */
export function setNonblocking(fd: number): void {
  if (c.fcntl(fd, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
}

/** Asks for a pipe buffer of this size; a smaller one only costs time, so a refusal is no error. */
export function setPipeSize(fd: number, sizeBytes: number): void {
  c.fcntl(fd, F_SETPIPE_SZ, sizeBytes);
}

const POLLIN = 1;

/** Waits on a pool thread until `fd` can be read (or was closed). False when the time ran out. */
export async function waitReadable(fd: number, timeoutMs = -1): Promise<boolean> {
  const pollfd = new Int32Array([fd, POLLIN]);
  return await c.poll(pollfd, 1n, timeoutMs) !== 0;
}

/** A window of memory whose pages are mapped twice in a row, so that any piece of it up to `size` bytes is contiguous. Never unmapped. */
export interface DoubleRing {
  readonly address: bigint;
  /** 2 * size bytes: byte i and byte i + size are the same. */
  readonly view: Bytes;
  readonly size: number;
}

/** @throws {LibcError} */
export function doubleRing(size: number): DoubleRing {
  const MFD_CLOEXEC = 1, PROT_NONE = 0, PROT_READ_WRITE = 3, PRIVATE_ANONYMOUS = 0x22, SHARED_FIXED = 0x11;
  const fd = c.memfd_create(cstr("bootc-ring"), MFD_CLOEXEC);
  if (fd < 0) fail("memfd_create");
  if (c.ftruncate(fd, BigInt(size)) < 0) fail("ftruncate");
  const base = Deno.UnsafePointer.value(c.mmap(null, BigInt(size * 2), PROT_NONE, PRIVATE_ANONYMOUS, -1, 0n));
  for (const offset of [0, size]) {
    const want = base + BigInt(offset);
    const at = c.mmap(Deno.UnsafePointer.create(want), BigInt(size), PROT_READ_WRITE, SHARED_FIXED, fd, 0n);
    if (Deno.UnsafePointer.value(at) !== want) fail("mmap");
  }
  c.close(fd);
  const view = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(base)!, size * 2));
  return { address: base, view, size };
}

/** Gives the clean pages of a mapped file back to the page cache; they return by themselves when touched. */
export function dropCleanPages(start: bigint, length: bigint): void {
  const MADV_DONTNEED = 4;
  c.madvise(start, length, MADV_DONTNEED);
}

const RTLD_LAZY = 1, RTLD_NOLOAD = 4, RTLD_NODELETE = 0x1000;

/**
 * Loads a library for the life of the process. Deno unloads what a worker opened when the worker ends, but GObject's types stay registered
 * with code of the library, so that the next one to open it would crash.
 */
export function keepLibrary(soname: string): void {
  c.dlopen(cstr(soname), RTLD_LAZY | RTLD_NODELETE);
}

/** Begins to load a library on a pool thread, so that whoever opens it later finds it there; a library that is not installed is no error. */
export function preloadLibrary(soname: string): void {
  if (c.dlopen(cstr(soname), RTLD_LAZY | RTLD_NOLOAD) !== null) return;
  c.dlopen_aside(cstr(soname), RTLD_LAZY | RTLD_NODELETE);
}
