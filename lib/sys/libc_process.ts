/** Sockets and processes: the part of libc that the image proxy needs. */
import { O_CLOEXEC } from "./libc.ts";
import { address, type Bytes, c, cstr, fail, LibcError } from "./libc_table.ts";

/** Closes a descriptor. */
const close = (fd: number) => void c.close(fd);

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
