/** Client of `skopeo experimental-image-proxy`: images of any transport, opened, described and read without a copy on disk. */
import { type Digest, parseDigest } from "../oci/digest.ts";
import { formatImageReference, type ImageReference, skopeoReference } from "../oci/reference.ts";
import type { Context } from "../sys/context.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { type Bytes, close, setPipeSize, tryRead, waitReadable } from "../sys/libc.ts";
import { proxyArgv, type ProxyOptions, temporaryOf } from "./argv.ts";
import { Channel, ProxyRefusal, type Reply } from "./channel.ts";
import { HAS_USER_AGENT_PREFIX, isAtLeast, skopeoVersion } from "./version.ts";
import { hintFor } from "./words.ts";

export type { ProxyOptions } from "./argv.ts";

/** The largest manifest that is read: skopeo's own limit. */
export const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024;
/** The largest image configuration that is read. */
export const CONFIG_LIMIT_BYTES = 16 * 1024 * 1024;

/** Lowest patch of protocol 0.2 that has all requests used here (skopeo 1.9). */
const PROTOCOL_PATCH = 3;
/** From this one on the proxy lists the layers as the source has them; piped from the second on. */
const PROTOCOL_PATCH_OF_LAYER_INFO = 5;
const PROTOCOL_PATCH_OF_PIPED_LAYER_INFO = 7;
/** skopeo 1.19 and later; below, the version need not be asked for `--user-agent-prefix`. */
const PROTOCOL_PATCH_OF_1_19 = 8;
const PIPE_BYTES = 1024 * 1024;

/**
 * The bytes of a blob as the registry sends them. Nothing is verified until `finish()` has settled.
 *
 * Read `fd` (nonblocking: `waitReadable`, `tryRead`) until `size` bytes came or it is at its end, then `close()`, then await `finish()`.
 * The end of file of a blob that is too short comes only once `finish()` was called: call it before reading, right after the next blob was
 * requested where one is wanted ahead, since skopeo answers nothing else while it waits for a blob to end.
 */
export interface BlobPipe extends Disposable {
  readonly fd: number;
  /**
   * Settles when skopeo has sent all and found digest and size right. May be called again; one request is sent.
   * @throws {UserError} naming the blob, when they are wrong, the transfer broke off or the pipe was closed early
   * @throws {Interrupted}
   */
  finish(): Promise<void>;
  /** Closes `fd`; what is not read yet is given up. Safe to call again. */
  close(): void;
}

/** A running image proxy; disposing ends skopeo within two seconds. */
export class ImageProxy implements AsyncDisposable {
  #channel: Channel;
  #images = new Map<number, string>();
  #sizes = new Map<number, Promise<ReadonlyMap<string, number>>>();

  private constructor(channel: Channel, readonly protocol: string) {
    this.#channel = channel;
  }

  /**
   * Starts skopeo with the environment of `ctx`, whose signal kills it: every pending request then throws `Interrupted`.
   * @throws {UserError} when there is no skopeo
   * @throws {ToolError} when it does not start or speaks another protocol
   */
  static async start(ctx: Context, options: ProxyOptions = {}): Promise<ImageProxy> {
    const { userAgentPrefix, ...rest } = options;
    const proxy = await ImageProxy.#launch(ctx, rest);
    if (userAgentPrefix === undefined || patchOf(proxy.protocol) < PROTOCOL_PATCH_OF_1_19) return proxy;
    if (!isAtLeast(await skopeoVersion(ctx), HAS_USER_AGENT_PREFIX)) return proxy;
    await proxy[Symbol.asyncDispose]();
    return await ImageProxy.#launch(ctx, options);
  }

  static async #launch(ctx: Context, options: ProxyOptions): Promise<ImageProxy> {
    const channel = Channel.open(ctx, proxyArgv(ctx.tools.skopeo, { ...temporaryOf(ctx), ...options }));
    try {
      const { value } = await channel.request("Initialize");
      return new ImageProxy(channel, checkProtocol(value));
    } catch (error) {
      await channel[Symbol.asyncDispose]();
      if (error instanceof ProxyRefusal) throw new ToolError(`Cannot start the image proxy: ${error.message}`);
      throw error;
    }
  }

  /**
   * Looks an image up and gives its number for the other requests. The policy is applied here from skopeo 1.13 on.
   * @throws {UserError} with skopeo's words and a hint
   */
  async openImage(reference: ImageReference): Promise<number> {
    const image = formatImageReference(reference);
    const { value } = await this.#ask(`open image "${image}"`, "OpenImage", skopeoReference(reference));
    if (typeof value !== "number") throw unexpected("OpenImage", value);
    this.#images.set(value, image);
    return value;
  }

  /** Forgets an image; its blobs cannot be asked for any more. */
  async closeImage(id: number): Promise<void> {
    await this.#ask(`close image "${this.#name(id)}"`, "CloseImage", id);
    this.#images.delete(id);
  }

  /**
   * The manifest for this platform, as OCI; `digest` is the registry's. For a docker image the bytes were converted by skopeo, so that their
   * own digest is another one: skopeo has compared the original.
   * @throws {UserError} also when it is larger than {@linkcode MANIFEST_LIMIT_BYTES}
   */
  async manifest(id: number): Promise<{ digest: Digest; bytes: Bytes }> {
    const what = `read the manifest of "${this.#name(id)}"`;
    const { value, bytes } = await this.#read(what, "GetManifest", { id, limitBytes: MANIFEST_LIMIT_BYTES });
    return { digest: parseDigest(String(value)), bytes };
  }

  /**
   * The image configuration as OCI, written anew by skopeo (members that it does not know are gone).
   * @throws {UserError} also when it is larger than {@linkcode CONFIG_LIMIT_BYTES}
   */
  async config(id: number): Promise<Bytes> {
    const what = `read the configuration of "${this.#name(id)}"`;
    return (await this.#read(what, "GetFullConfig", { id, limitBytes: CONFIG_LIMIT_BYTES })).bytes;
  }

  /**
   * Starts to fetch a blob of `size` bytes. Several may be under way; skopeo fetches each of them by itself.
   * @throws {UserError} naming the blob
   */
  async blob(id: number, digest: Digest, size: number): Promise<BlobPipe> {
    const what = `fetch blob "${digest}" of "${this.#name(id)}"`;
    const { pipe } = await this.#ask(what, "GetBlob", id, digest, size);
    if (pipe === undefined) throw unexpected("GetBlob", undefined);
    setPipeSize(pipe.fd, PIPE_BYTES);
    return new ProxyBlobPipe(pipe.fd, () => this.#finishPipe(what, pipe.id));
  }

  /**
   * How large a layer is in `containers-storage:`, which has it uncompressed and knows it by its diff_id alone, whatever the manifest says.
   * An old skopeo tells only when it is asked for the blob, which is given up then.
   * @throws {UserError} naming the layer
   */
  async storedSize(id: number, diffId: Digest): Promise<number> {
    const listed = (await this.#listedSizes(id)).get(diffId);
    if (listed !== undefined && listed >= 0) return listed;
    const what = `find layer "${diffId}" of "${this.#name(id)}"`;
    const { value, pipe } = await this.#ask(what, "GetBlob", id, diffId, 0);
    if (pipe) new ProxyBlobPipe(pipe.fd, () => this.#finishPipe(what, pipe.id)).close();
    if (typeof value !== "number" || value < 0) throw unexpected("GetBlob", value);
    return value;
  }

  /** Sizes of an image's layers by digest, where skopeo can list them. */
  #listedSizes(id: number): Promise<ReadonlyMap<string, number>> {
    let sizes = this.#sizes.get(id);
    if (!sizes) this.#sizes.set(id, sizes = this.#listLayers(id));
    return sizes;
  }

  async #listLayers(id: number): Promise<ReadonlyMap<string, number>> {
    const patch = patchOf(this.protocol);
    if (patch < PROTOCOL_PATCH_OF_LAYER_INFO) return new Map();
    const what = `list the layers of "${this.#name(id)}"`;
    const layers: unknown = patch < PROTOCOL_PATCH_OF_PIPED_LAYER_INFO
      ? (await this.#ask(what, "GetLayerInfo", id)).value
      : JSON.parse(
        new TextDecoder().decode(
          (await this.#read(what, "GetLayerInfoPiped", { id, limitBytes: MANIFEST_LIMIT_BYTES })).bytes,
        ),
      );
    if (!Array.isArray(layers)) throw unexpected("GetLayerInfo", layers);
    return new Map(
      layers.flatMap((each: { digest?: unknown; size?: unknown }) =>
        typeof each.digest === "string" && typeof each.size === "number" ? [[each.digest, each.size] as const] : []
      ),
    );
  }

  /** Ends skopeo; pipes that are still open come to their end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel[Symbol.asyncDispose]();
  }

  #name(id: number): string {
    return this.#images.get(id) ?? `image ${id}`;
  }

  /** A request whose refusal becomes `Cannot <what>: <skopeo's words>`. */
  async #ask(what: string, method: string, ...args: readonly unknown[]): Promise<Reply> {
    try {
      return await this.#channel.request(method, ...args);
    } catch (error) {
      if (!(error instanceof ProxyRefusal)) throw error;
      throw new UserError(`Cannot ${what}: ${error.message}`, { hint: hintFor(error.message) });
    }
  }

  async #finishPipe(what: string, pipeId: number): Promise<void> {
    await this.#ask(what, "FinishPipe", pipeId);
  }

  /** A reply with a short pipe, read to its end, which skopeo gives only while it answers FinishPipe. */
  async #read(
    what: string,
    method: string,
    { id, limitBytes }: { id: number; limitBytes: number },
  ): Promise<{ value: unknown; bytes: Bytes }> {
    const { value, pipe } = await this.#ask(what, method, id);
    if (pipe === undefined) throw unexpected(method, value);
    const finished = this.#finishPipe(what, pipe.id);
    const [read, end] = await Promise.allSettled([readAll(pipe.fd, limitBytes), finished]);
    if (read.status === "rejected") throw read.reason;
    if (read.value === undefined) throw new UserError(`Cannot ${what}: it is larger than ${limitBytes} bytes`);
    if (end.status === "rejected") throw end.reason;
    return { value, bytes: read.value };
  }
}

class ProxyBlobPipe implements BlobPipe {
  #open = true;
  #verdict: Promise<void> | undefined;
  #sendFinish: () => Promise<void>;

  constructor(readonly fd: number, sendFinish: () => Promise<void>) {
    this.#sendFinish = sendFinish;
  }

  finish(): Promise<void> {
    if (this.#verdict === undefined) {
      this.#verdict = this.#sendFinish();
      // The caller looks at it after reading; until then a failure is not unhandled.
      this.#verdict.catch(() => {});
    }
    return this.#verdict;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.fd);
    // skopeo keeps its end until it is asked; its answer to a pipe that was given up is of no interest.
    this.finish();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Reads to the end and closes; undefined when more than `limitBytes` came. */
async function readAll(fd: number, limitBytes: number): Promise<Bytes | undefined> {
  let buffer = new Uint8Array(64 * 1024);
  let length = 0;
  try {
    for (;;) {
      const n = tryRead(fd, buffer.subarray(length));
      if (n === 0) return buffer.slice(0, length);
      if (n < 0) {
        await waitReadable(fd);
        continue;
      }
      length += n;
      if (length > limitBytes) return undefined;
      if (length === buffer.length) {
        const larger = new Uint8Array(buffer.length * 2);
        larger.set(buffer);
        buffer = larger;
      }
    }
  } finally {
    close(fd);
  }
}

function checkProtocol(value: unknown): string {
  if (typeof value !== "string") throw unexpected("Initialize", value);
  if (patchOf(value) < PROTOCOL_PATCH) {
    throw new ToolError(
      `Skopeo speaks image proxy protocol ${JSON.stringify(value)}, needed is "0.2.${PROTOCOL_PATCH}" or a later 0.2`,
    );
  }
  return value;
}

/** The patch number of protocol 0.2; -1 for every other. */
function patchOf(protocol: string): number {
  const match = /^0\.2\.(\d+)$/.exec(protocol);
  return match === null ? -1 : Number(match[1]);
}

function unexpected(method: string, value: unknown): ToolError {
  return new ToolError(`Unexpected answer of skopeo to ${method}: ${JSON.stringify(value)}`);
}
