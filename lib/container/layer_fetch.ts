/** Reads an open image's blobs, one after the other, each into whatever takes its entries. */
import { type TarSink, TarWalk } from "../codec/tar.ts";
import type { OpenedImage } from "../skopeo/copy.ts";
import type { BlobPipe } from "../skopeo/proxy.ts";
import type { Context } from "../sys/context.ts";
import { Interrupted, throwIfInterrupted, UserError } from "../sys/errors.ts";
import { releaseText } from "../sys/memory.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { type ExpectedLayer, INLINE_BYTES, LayerReader } from "./layer_reader.ts";
import type { ImageLayer } from "./layout.ts";

/** How many bytes are read between two looks at our own memory. */
const TIDY_BYTES = 16 << 20;

/** How blobs are read. */
export interface FetchSettings {
  /** False: gzip goes through zlib. */
  readonly isal: boolean;
  readonly report: ReportProgress;
}

/** A blob on its way, and what it has to be. */
interface Requested {
  readonly pipe: BlobPipe;
  readonly expected: ExpectedLayer;
}

/** The reader of one image's layers; its buffers serve them all. */
export class LayerFetch implements Disposable {
  #reader: LayerReader;
  #last: ImageLayer | undefined;
  #lastBytes = 0;
  #untidied = 0;
  #next: { layer: ImageLayer; requested: Promise<Requested> } | undefined;

  constructor(readonly ctx: Context, readonly opened: OpenedImage, readonly settings: FetchSettings) {
    this.#reader = new LayerReader({ isal: settings.isal });
  }

  #request(layer: ImageLayer): Promise<Requested> {
    const requested = this.#ask(layer);
    requested.catch(() => {}); // looked at when its turn comes
    return requested;
  }

  async #ask(layer: ImageLayer): Promise<Requested> {
    const { proxy, imageId, byDiffId } = this.opened;
    if (!byDiffId) return { pipe: await proxy.blob(imageId, layer.digest, layer.size), expected: layer };
    const size = await proxy.storedSize(imageId, layer.diffId);
    const pipe = await proxy.blob(imageId, layer.diffId, size);
    return { pipe, expected: { digest: layer.diffId, diffId: layer.diffId, size, compression: "none" } };
  }

  /**
   * Reads a layer's blob into a sink; the request for the next one goes out meanwhile. When this returns, size, digest and diff_id are right.
   * @throws {UserError} naming the layer and the entry
   * @throws {Interrupted}
   */
  async read(layer: ImageLayer, next: ImageLayer | undefined, sink: TarSink): Promise<void> {
    const { report } = this.settings;
    const { signal } = this.ctx;
    throwIfInterrupted(signal);
    const walk = new TarWalk(sink, INLINE_BYTES);
    report({ kind: "layer-start", index: layer.index });
    let reading = false;
    try {
      const ahead = this.#next?.layer === layer ? this.#next.requested : undefined;
      if (!ahead) this.#giveUp();
      const { pipe, expected } = await (ahead ?? this.#request(layer));
      this.#next = next && { layer: next, requested: this.#request(next) };
      pipe.finish().catch(() => {}); // the answer comes when skopeo has sent all; see BlobPipe
      reading = true;
      await this.#reader.read(pipe, expected, walk, {
        signal,
        onBytes: (bytes) => {
          this.#tidyMemory(layer, bytes);
          // Told in the manifest's measure, which the total is counted in.
          const told = expected === layer ? bytes : Math.floor(bytes / expected.size * layer.size);
          report({ kind: "layer-bytes", index: layer.index, bytes: told });
        },
      });
    } catch (cause) {
      if (cause instanceof Interrupted || signal.aborted) throw new Interrupted();
      const where = reading && walk.entries > 0 && !walk.ended ? ` at entry ${walk.lastEntry}` : "";
      throw new UserError(`Layer "${layer.digest}"${where}`, {
        cause,
        hint: cause instanceof UserError ? cause.hint : undefined,
      });
    }
  }

  /** `bytes` of a layer were read by now. */
  #tidyMemory(layer: ImageLayer, bytes: number): void {
    if (layer !== this.#last) this.#lastBytes = 0;
    this.#untidied += bytes - this.#lastBytes;
    this.#last = layer;
    this.#lastBytes = bytes;
    if (this.#untidied < TIDY_BYTES) return;
    this.#untidied = 0;
    releaseText();
  }

  /** Ends reading; a blob that was asked for ahead is given up. */
  [Symbol.dispose](): void {
    this.#giveUp();
    this.#reader[Symbol.dispose]();
  }

  #giveUp(): void {
    this.#next?.requested.then(({ pipe }) => pipe.close(), () => {}); // its failure is of no interest any more
    this.#next = undefined;
  }
}
