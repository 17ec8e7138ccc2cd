/**
 * The part of libc that Deno has no name for: calls relative to an open directory, ownership, descriptors over sockets.
 *
 * Nothing outside sees a pointer. A wrapper turns -1 into {@linkcode LibcError} at once, since errno is only right straight after a
 * synchronous call. Paths are NUL-terminated bytes ({@linkcode cstr}) so that hot callers can reuse one buffer.
 *
 * 64-bit parameters are given as `BigInt(n)`: with a number V8 takes its slow path (100 ns instead of 17).
 */

const library = Deno.dlopen("libc.so.6", {
  /** int openat(int dirfd, const char *path, int flags, mode_t mode) */
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  /** ssize_t read(int fd, void *buf, size_t count) */
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** ssize_t write(int fd, const void *buf, size_t count) */
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** int close(int fd) */
  close: { parameters: ["i32"], result: "i32" },
  /** int fchown(int fd, uid_t owner, gid_t group) */
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  /** int fchmod(int fd, mode_t mode) */
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  /** int futimens(int fd, const struct timespec times[2]) */
  futimens: { parameters: ["i32", "buffer"], result: "i32" },
  /** int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) */
  fsetxattr: { parameters: ["i32", "buffer", "buffer", "usize", "i32"], result: "i32" },
  /** int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags) */
  lsetxattr: { parameters: ["buffer", "buffer", "buffer", "usize", "i32"], result: "i32" },
  /** int fchownat(int dirfd, const char *path, uid_t owner, gid_t group, int flags) */
  fchownat: { parameters: ["i32", "buffer", "u32", "u32", "i32"], result: "i32" },
  /** int faccessat(int dirfd, const char *path, int mode, int flags) */
  faccessat: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  /** int mkdirat(int dirfd, const char *path, mode_t mode) */
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** int unlinkat(int dirfd, const char *path, int flags) */
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  /** int renameat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath) */
  renameat: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  /** int symlinkat(const char *target, int newdirfd, const char *linkpath) */
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  /** int poll(struct pollfd *fds, nfds_t nfds, int timeout) */
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  /** int fsync(int fd) */
  fsync: { parameters: ["i32"], result: "i32", nonblocking: true },
  /** int syncfs(int fd) */
  syncfs: { parameters: ["i32"], result: "i32", nonblocking: true },
  /** int fcntl(int fd, int cmd, int arg) */
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** int fstatvfs(int fd, struct statvfs *buf); 112 bytes on LP64 */
  fstatvfs: { parameters: ["i32", "buffer"], result: "i32" },
  /** int statvfs(const char *path, struct statvfs *buf) */
  statvfs: { parameters: ["buffer", "buffer"], result: "i32" },
  /** int memfd_create(const char *name, unsigned int flags) */
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  /** int ftruncate(int fd, off_t length) */
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  /** void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset) */
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  /** int madvise(void *addr, size_t length, int advice); the address as a number, it is only handed back */
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  /** int socketpair(int domain, int type, int protocol, int sv[2]) */
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  /** ssize_t send(int fd, const void *buf, size_t len, int flags) */
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  /** ssize_t recvmsg(int fd, struct msghdr *msg, int flags) */
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  /** int pipe2(int pipefd[2], int flags) */
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  /** int posix_spawnp(pid_t *pid, const char *file, actions, attr, char *const argv[], char *const envp[]) */
  posix_spawnp: { parameters: ["buffer", "buffer", "buffer", "pointer", "buffer", "buffer"], result: "i32" },
  /** int posix_spawn_file_actions_init(actions); 80 bytes on glibc LP64 */
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  /** int posix_spawn_file_actions_adddup2(actions, int fd, int newfd) */
  posix_spawn_file_actions_adddup2: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  /** int posix_spawn_file_actions_destroy(actions) */
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  /** pid_t waitpid(pid_t pid, int *status, int options) */
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32", nonblocking: true },
  /** int kill(pid_t pid, int sig) */
  kill: { parameters: ["i32", "i32"], result: "i32" },
  /** void *dlopen(const char *filename, int flags); the handle is never closed */
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  /** The same on a pool thread. */
  dlopen_aside: { name: "dlopen", parameters: ["buffer", "i32"], result: "pointer", nonblocking: true },
  /** int *__errno_location(void) */
  __errno_location: { parameters: [], result: "pointer" },
  /** char *strerror(int errnum); static storage, not freed */
  strerror: { parameters: ["i32"], result: "pointer" },
});
const c = library.symbols;

/** Bytes of memory that we own. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const AT_FDCWD = -100;
export const O_RDONLY = 0;
export const O_WRONLY = 0o1;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
/** Differs by architecture: Linux asm-generic against arm and arm64 (`asm/fcntl.h`). */
export const O_DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;
export const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;
export const O_CLOEXEC = 0o2000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** unlinkat: remove a directory */
export const AT_REMOVEDIR = 0x200;

export const ENOENT = 2;
export const EINTR = 4;
export const EAGAIN = 11;
export const EEXIST = 17;
export const ENOTDIR = 20;
export const ENOSPC = 28;
export const ENOTEMPTY = 39;

/** A libc call that failed; `errno` tells callers apart what they may expect. */
export class LibcError extends Error {
  override name = "LibcError";
  constructor(readonly call: string, readonly errno: number) {
    super(`${call}: ${new Deno.UnsafePointerView(c.strerror(errno)!).getCString()}`);
  }
}

function errno(): number {
  return new Deno.UnsafePointerView(c.__errno_location()!).getInt32();
}

function fail(call: string): never {
  throw new LibcError(call, errno());
}

const encoder = new TextEncoder();

/** A string as C wants it: UTF-8 with a NUL behind. @throws {TypeError} when it holds a NUL itself */
export function cstr(text: string): Bytes {
  if (text.includes("\0")) throw new TypeError(`A NUL byte in ${JSON.stringify(text)}`);
  return encoder.encode(text + "\0");
}

/** The address of a buffer; valid while the buffer is referenced. */
export function address(buffer: ArrayBufferView<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}

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

/** @throws {LibcError} */
export function symlinkat(target: Bytes, dirfd: number, path: Bytes): void {
  if (c.symlinkat(target, dirfd, path) < 0) fail("symlinkat");
}

/** fsync on a pool thread. @throws {Error} when it fails (errno is not known there) */
export async function fsync(fd: number): Promise<void> {
  if (await c.fsync(fd) < 0) throw new Error("Cannot fsync: the disk did not take the data");
}

/** syncfs on a pool thread: everything of the file system that holds `fd`. @throws {Error} when it fails */
export async function syncfs(fd: number): Promise<void> {
  if (await c.syncfs(fd) < 0) throw new Error("Cannot syncfs: the disk did not take the data");
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

/** A pair of connected packet sockets. @throws {LibcError} */
export function packetSocketPair(): [number, number] {
  const AF_UNIX = 1, SOCK_SEQPACKET = 5;
  const pair = new Int32Array(2);
  if (c.socketpair(AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, pair) < 0) fail("socketpair");
  return [pair[0]!, pair[1]!];
}

/** @throws {LibcError} also when the other side is gone (no SIGPIPE) */
export function sendPacket(fd: number, packet: Bytes): void {
  const MSG_NOSIGNAL = 0x4000;
  if (c.send(fd, packet, BigInt(packet.length), MSG_NOSIGNAL) < 0) fail("send");
}

/** One end of a packet socket, with the fixed buffers that receiving needs. */
export class PacketReceiver {
  #data = new Uint8Array(64 * 1024);
  #control = new Uint8Array(256);
  #iov = new BigUint64Array(2);
  /** struct msghdr, LP64: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48 */
  #header = new Uint8Array(56);

  constructor(readonly fd: number) {
    const view = new DataView(this.#header.buffer);
    this.#iov[0] = address(this.#data);
    this.#iov[1] = BigInt(this.#data.length);
    view.setBigUint64(16, address(this.#iov), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, address(this.#control), true);
  }

  /**
   * Takes the packet that is waiting: call after {@linkcode waitReadable}. Undefined when the other side has closed.
   * The bytes are a copy; the descriptors are the caller's to close.
   * @throws {LibcError} @throws {RangeError} when the packet did not fit
   */
  receive(): { data: Bytes; descriptors: number[] } | undefined {
    const MSG_DONTWAIT = 0x40, MSG_CMSG_CLOEXEC = 0x40000000, MSG_TRUNC = 0x20, MSG_CTRUNC = 8;
    const SOL_SOCKET = 1, SCM_RIGHTS = 1;
    const view = new DataView(this.#header.buffer);
    view.setBigUint64(40, BigInt(this.#control.length), true);
    const n = Number(c.recvmsg(this.fd, this.#header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    if (n < 0) fail("recvmsg");
    const descriptors: number[] = [];
    const control = new DataView(this.#control.buffer);
    const controlBytes = Number(view.getBigUint64(40, true));
    for (let at = 0; at + 16 <= controlBytes;) {
      const length = Number(control.getBigUint64(at, true));
      if (length < 16) break;
      if (control.getInt32(at + 8, true) === SOL_SOCKET && control.getInt32(at + 12, true) === SCM_RIGHTS) {
        for (let p = at + 16; p + 4 <= at + length; p += 4) descriptors.push(control.getInt32(p, true));
      }
      at += (length + 7) & ~7;
    }
    if (view.getInt32(48, true) & (MSG_TRUNC | MSG_CTRUNC)) {
      descriptors.forEach(close);
      throw new RangeError("A packet is larger than 64 KiB");
    }
    return n === 0 ? undefined : { data: this.#data.slice(0, n), descriptors };
  }
}

/** A pipe, both ends closed on exec: [reading end, writing end]. @throws {LibcError} */
export function pipe(): [number, number] {
  const ends = new Int32Array(2);
  if (c.pipe2(ends, O_CLOEXEC) < 0) fail("pipe2");
  return [ends[0]!, ends[1]!];
}

/** What {@linkcode spawnWith} starts. */
export interface SpawnRequest {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Which of our descriptors the child gets under which number. */
  readonly descriptors: readonly { readonly ours: number; readonly theirs: number }[];
}

/** Starts a program with chosen descriptors (all others are closed on exec). Gives its pid. @throws {LibcError} */
export function spawnWith(request: SpawnRequest): number {
  const actions = new Uint8Array(128);
  c.posix_spawn_file_actions_init(actions);
  for (const { ours, theirs } of request.descriptors) c.posix_spawn_file_actions_adddup2(actions, ours, theirs);
  const args = request.argv.map(cstr);
  const vars = Object.entries(request.env).map(([name, value]) => cstr(`${name}=${value}`));
  const argv = new BigUint64Array([...args.map(address), 0n]);
  const envp = new BigUint64Array([...vars.map(address), 0n]);
  const pid = new Int32Array(1);
  const code = c.posix_spawnp(pid, args[0]!, actions, null, argv, envp);
  c.posix_spawn_file_actions_destroy(actions);
  if (code !== 0) throw new LibcError(`posix_spawnp "${request.argv[0]}"`, code);
  return pid[0]!;
}

/** Waits on a pool thread for a child of {@linkcode spawnWith}; its exit code, or 128 + the signal that ended it. */
export async function waitChild(pid: number): Promise<number> {
  const status = new Int32Array(1);
  await c.waitpid(pid, status, 0);
  const value = status[0]!;
  return (value & 0x7f) === 0 ? (value >> 8) & 0xff : 128 + (value & 0x7f);
}

/** Sends a signal; a process that is gone already is no error. */
export function kill(pid: number, signal: number): void {
  c.kill(pid, signal);
}

const RTLD_LAZY = 1, RTLD_NODELETE = 0x1000;

/**
 * Loads a library for the life of the process. Deno unloads what a worker opened when the worker ends, but GObject's types stay registered
 * with code of the library, so that the next one to open it would crash.
 */
export function keepLibrary(soname: string): void {
  c.dlopen(cstr(soname), RTLD_LAZY | RTLD_NODELETE);
}

/** Begins to load a library on a pool thread, so that whoever opens it later finds it there; a library that is not installed is no error. */
export function preloadLibrary(soname: string): void {
  c.dlopen_aside(cstr(soname), RTLD_LAZY | RTLD_NODELETE);
}
