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
  /** int statx(int dirfd, const char *pathname, int flags, unsigned int mask, struct statx *buf); 256 bytes everywhere */
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  /** ssize_t readlinkat(int dirfd, const char *pathname, char *buf, size_t bufsiz) */
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  /** ssize_t llistxattr(const char *path, char *list, size_t size) */
  llistxattr: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  /** ssize_t lgetxattr(const char *path, const char *name, void *value, size_t size) */
  lgetxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "isize" },
  /** int mkdirat(int dirfd, const char *path, mode_t mode) */
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** int unlinkat(int dirfd, const char *path, int flags) */
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  /** int renameat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath) */
  renameat: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  /** int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned int flags) */
  renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
  /** int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags) */
  linkat: { parameters: ["i32", "buffer", "i32", "buffer", "i32"], result: "i32" },
  /** ssize_t getdents64(int fd, void *dirp, size_t count) */
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** int symlinkat(const char *target, int newdirfd, const char *linkpath) */
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  /** int poll(struct pollfd *fds, nfds_t nfds, int timeout) */
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  /** int fsync(int fd) */
  fsync: { parameters: ["i32"], result: "i32", nonblocking: true },
  /** int syncfs(int fd) */
  syncfs: { parameters: ["i32"], result: "i32", nonblocking: true },
  /** int mount(const char *source, const char *target, const char *filesystemtype, unsigned long mountflags, const void *data) */
  mount: { parameters: ["buffer", "buffer", "buffer", "u64", "pointer"], result: "i32" },
  /** int umount2(const char *target, int flags) */
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
  /** int ioctl(int fd, unsigned long request, ...), with a structure */
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
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
/** libc's functions, for the other files of `lib/sys/libc*.ts` alone. */
export const c = library.symbols;

/** Bytes of memory that we own. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A libc call that failed; `errno` tells callers apart what they may expect. */
export class LibcError extends Error {
  override name = "LibcError";
  constructor(readonly call: string, readonly errno: number) {
    super(`${call}: ${new Deno.UnsafePointerView(c.strerror(errno)!).getCString()}`);
  }
}

/** The error of the call just before. */
export function errno(): number {
  return new Deno.UnsafePointerView(c.__errno_location()!).getInt32();
}

/** @throws {LibcError} of the call just before */
export function fail(call: string): never {
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
