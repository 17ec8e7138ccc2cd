/**
 * From a blob's pipe to the tar parser, through fixed buffers:
 *
 *     skopeo's pipe -> input buffer -> inflate (pool thread) -> ring, mapped twice -> SHA-256 of the diff_id, tar entries (this thread)
 *
 * Exactly one piece is being inflated while the piece before it is hashed and imported, so both cores work, the event loop turns once a
 * piece (for signals and progress), and memory does not depend on the image.
 */
import { type Compression, type Decoder, decoderFor } from "../codec/inflate.ts";
import { Sha256 } from "../codec/sha256.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobPipe } from "../skopeo/proxy.ts";
import { throwIfInterrupted } from "../sys/errors.ts";
import { type DoubleRing, doubleRing, tryRead, waitReadable } from "../sys/libc.ts";

const RING_BYTES = 2 << 20;
const PIECE_BYTES = 512 << 10;
const INPUT_BYTES = 256 << 10;
/** Bodies up to this are handed over whole: what may wait, a header, and the two pieces in work must fit into the ring. */
export const INLINE_BYTES = 512 << 10;

/** What takes the inflated bytes; a `TarWalk`. */
export interface WindowConsumer {
  /** Consumes from `window[start, end)` and gives how far it came. */
  feed(window: Uint8Array<ArrayBuffer>, start: number, end: number): number;
  /** Everything was there, and nothing is left over. */
  readonly clean: boolean;
}

/** What is expected of a blob. */
export interface ExpectedLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  readonly compression: Compression;
}

/** How a layer is read. */
export interface ReadOptions {
  readonly signal: AbortSignal;
  /** Called with the compressed bytes read so far. */
  readonly onBytes?: (bytes: number) => void;
}

/** Rings are never unmapped: the next reader takes that of one which is done. */
const idleRings: DoubleRing[] = [];

/** Reads one layer after another with the same buffers, which it gives up when it is disposed of. */
export class LayerReader implements Disposable {
  #ring: DoubleRing = idleRings.pop() ?? doubleRing(RING_BYTES);
  #input = new Uint8Array(INPUT_BYTES);
  #decoders = new Map<Compression, Decoder>();
  #hash = new Sha256();
  #left = 0;

  constructor(readonly options: { readonly isal: boolean }) {}

  [Symbol.dispose](): void {
    idleRings.push(this.#ring);
  }

  #decoder(compression: Compression): Decoder {
    let decoder = this.#decoders.get(compression);
    if (!decoder) {
      decoder = decoderFor(compression, { input: this.#input, output: this.#ring }, this.options);
      this.#decoders.set(compression, decoder);
    }
    decoder.reset();
    return decoder;
  }

  /** Refills the decoder's input, which must be idle; false where the pipe has nothing yet. */
  async #refill(decoder: Decoder, pipe: BlobPipe, digest: Digest): Promise<boolean> {
    const n = tryRead(pipe.fd, this.#input.subarray(0, Math.min(INPUT_BYTES, this.#left)));
    if (n < 0) return false;
    if (n === 0) {
      await pipe.finish(); // skopeo's own words come first
      throw new SyntaxError(`Blob "${digest}" is shorter than its descriptor says`);
    }
    this.#left -= n;
    decoder.feed(n);
    return true;
  }

  /**
   * Reads a layer to its end. When this returns, size, digest and diff_id are right and the archive was whole; before that nothing that
   * the consumer took may be trusted.
   * @throws {SyntaxError} when something does not match, is cut short or goes on too long
   * @throws {Interrupted}
   */
  async read(pipe: BlobPipe, layer: ExpectedLayer, consumer: WindowConsumer, options: ReadOptions): Promise<void> {
    const decoder = this.#decoder(layer.compression);
    this.#hash.reset();
    this.#left = layer.size;
    try {
      await this.#inflate(decoder, pipe, layer, consumer, options);
    } finally {
      pipe.close();
    }
    await pipe.finish();
    throwIfInterrupted(options.signal);
    const actual = `sha256:${this.#hash.digest().toHex()}`;
    if (actual !== layer.diffId) {
      throw new SyntaxError(`Its diff_id is ${actual}; the image's config says ${layer.diffId}`);
    }
    if (!consumer.clean) throw new SyntaxError("Its tar archive is cut short");
  }

  async #inflate(
    decoder: Decoder,
    pipe: BlobPipe,
    layer: ExpectedLayer,
    consumer: WindowConsumer,
    { signal, onBytes }: ReadOptions,
  ): Promise<void> {
    const { view } = this.#ring;
    // Positions in the stream; modulo the ring's size they are places in it.
    let head = 0, tail = 0;
    let work: Promise<number> | undefined;
    for (let produced = 0, over = false; !over;) {
      const start = head % RING_BYTES;
      head += produced;
      const hungry = decoder.inputLeft === 0 && this.#left > 0;
      const fed = !hungry || await this.#refill(decoder, pipe, layer.digest);
      over = !hungry && decoder.inputLeft === 0 && produced < PIECE_BYTES && work !== undefined;
      work = fed && !over ? decoder.start(head % RING_BYTES, PIECE_BYTES) : undefined;
      onBytes?.(layer.size - this.#left);
      try {
        if (produced > 0) this.#hash.update(view.subarray(start, start + produced));
        const from = tail % RING_BYTES;
        tail += consumer.feed(view, from, from + head - tail) - from;
      } catch (error) {
        await work?.catch(() => {}); // the buffers must be idle before anyone uses them again
        throw error;
      }
      if (over) break;
      if (!work) {
        await waitReadable(pipe.fd);
        produced = 0;
      } else {
        produced = await work;
      }
      throwIfInterrupted(signal);
    }
    if (!decoder.atEnd) throw new SyntaxError("Its compressed data is cut short");
  }
}
