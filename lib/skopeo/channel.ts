/**
 * The wire of `skopeo experimental-image-proxy`: one JSON packet out, one JSON packet back, with pipes as descriptors beside it (skopeo
 * `cmd/skopeo/proxy.go`, 1.9 to 1.22). skopeo serves one request after the other, so requests are queued here.
 */
import type { Context } from "../sys/context.ts";
import { Interrupted, ToolError } from "../sys/errors.ts";
import { close, EAGAIN, LibcError, setNonblocking, waitReadable } from "../sys/libc.ts";
import { PacketReceiver, packetSocketPair, sendPacket } from "../sys/libc_process.ts";
import { Child } from "../sys/spawn.ts";
import { skopeoWords } from "./words.ts";

/** skopeo's answer to one request. */
export interface Reply {
  readonly value: unknown;
  /** A pipe of bytes: its reading end, nonblocking and ours to close, and its number for FinishPipe. */
  readonly pipe?: { readonly fd: number; readonly id: number };
}

/** What skopeo refused, in its own words. */
export class ProxyRefusal extends Error {
  override name = "ProxyRefusal";
}

/** After skopeo's exit a descriptor that someone inherited may still be open: looked at this often. */
const LOOK_MS = 500;
const SHUTDOWN_LIMIT_MS = 2000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One running skopeo and the socket to it; disposing ends it. */
export class Channel implements AsyncDisposable {
  #receiver: PacketReceiver;
  #queue: Promise<unknown> = Promise.resolve();
  #stop: () => void;

  private constructor(readonly ctx: Context, readonly child: Child, readonly socket: number) {
    this.#receiver = new PacketReceiver(socket);
    // Killing skopeo closes the socket and every pipe: whoever waits for one wakes up.
    this.#stop = () => this.child.kill();
    ctx.signal.addEventListener("abort", this.#stop);
  }

  /**
   * @throws {UserError} when there is no skopeo
   * @throws {Interrupted}
   */
  static open(ctx: Context, argv: readonly [string, ...string[]]): Channel {
    if (ctx.signal.aborted) throw new Interrupted();
    const [ours, theirs] = packetSocketPair();
    try {
      const child = Child.spawn(argv, { env: { ...ctx.env, LC_ALL: "C.UTF-8" }, descriptors: [theirs] });
      return new Channel(ctx, child, ours);
    } catch (error) {
      close(ours);
      throw error;
    } finally {
      close(theirs);
    }
  }

  /**
   * Sends a request when all before it are answered.
   * @throws {ProxyRefusal} what skopeo said
   * @throws {ToolError} when skopeo has ended or answers nonsense
   * @throws {Interrupted} when the context's signal was given, also while waiting
   */
  request(method: string, ...args: readonly unknown[]): Promise<Reply> {
    const exchange = () => this.#exchange(method, args);
    const reply = this.#queue.then(exchange, exchange);
    this.#queue = reply.catch(() => {});
    return reply;
  }

  async #exchange(method: string, args: readonly unknown[]): Promise<Reply> {
    if (!this.child.running) throw await this.#gone(method);
    try {
      sendPacket(this.socket, encoder.encode(JSON.stringify({ method, args })));
    } catch (error) {
      if (!(error instanceof LibcError)) throw error;
      throw await this.#gone(method);
    }
    const packet = await this.#receive();
    if (packet === undefined) throw await this.#gone(method);
    if (this.ctx.signal.aborted) {
      packet.descriptors.forEach(close);
      throw new Interrupted();
    }
    return readReply(method, packet);
  }

  /** The next packet, or undefined when skopeo is gone. */
  async #receive(): Promise<{ data: Uint8Array; descriptors: number[] } | undefined> {
    for (;;) {
      const wasRunning = this.child.running;
      await waitReadable(this.socket, LOOK_MS);
      try {
        return this.#receiver.receive();
      } catch (error) {
        if (!(error instanceof LibcError)) throw error;
        if (error.errno !== EAGAIN || !wasRunning) return undefined;
      }
    }
  }

  /** Why there is no answer, with the last words of skopeo. */
  async #gone(method: string): Promise<Error> {
    this.child.kill();
    const code = await this.child.ended();
    if (this.ctx.signal.aborted) return new Interrupted();
    const how = code > 128 ? `was killed by signal ${code - 128}` : `ended with exit code ${code}`;
    const words = skopeoWords(this.child.stderr);
    return new ToolError(`The image proxy of skopeo ${how} during ${method}${words && `: ${words}`}`, {
      exitCode: code > 128 ? undefined : code,
    });
  }

  /** Asks skopeo to end, waits two seconds for it (a request may hang in the network), then kills it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(this.#stop, SHUTDOWN_LIMIT_MS);
    try {
      await this.request("Shutdown").catch(() => {});
      await this.child.exited;
    } finally {
      clearTimeout(timer);
      this.ctx.signal.removeEventListener("abort", this.#stop);
      await this.child[Symbol.asyncDispose]();
      close(this.socket);
    }
  }
}

/** Checks the shape of an answer; its descriptors are closed unless the one pipe is handed on. */
function readReply(method: string, packet: { data: Uint8Array; descriptors: number[] }): Reply {
  const [fd, ...surplus] = packet.descriptors;
  surplus.forEach(close);
  try {
    const reply = JSON.parse(decoder.decode(packet.data));
    if (reply?.success !== true) throw new ProxyRefusal(String(reply?.error));
    const id = reply.pipeid;
    if (fd === undefined && !id) return { value: reply.value };
    if (fd === undefined || !Number.isSafeInteger(id) || id <= 0) {
      throw new ToolError(
        `Unexpected answer of skopeo to ${method}: pipe ${id}, ${packet.descriptors.length} descriptors`,
      );
    }
    setNonblocking(fd);
    return { value: reply.value, pipe: { fd, id } };
  } catch (error) {
    if (fd !== undefined) close(fd);
    if (error instanceof SyntaxError) throw new ToolError(`Unreadable answer of skopeo to ${method}`, { cause: error });
    throw error;
  }
}
