/** Writes tar files of benchmark inputs. */
import { tarEnd, type TarHeader, tarHeader, tarPadding } from "../lib/codec/tar_write.ts";
import type { Bytes } from "../lib/sys/libc.ts";

const BUFFER_BYTES = 1 << 20;

/** One tar file; complete once {@linkcode TarFile.end} was called. */
export class TarFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #used = 0;

  constructor(readonly path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  #flush(): void {
    for (let done = 0; done < this.#used;) done += this.#file.writeSync(this.#buffer.subarray(done, this.#used));
    this.#used = 0;
  }

  #put(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      if (this.#used === BUFFER_BYTES) this.#flush();
      const piece = bytes.subarray(start, start + BUFFER_BYTES - this.#used);
      this.#buffer.set(piece, this.#used);
      this.#used += piece.length;
      start += piece.length;
    }
  }

  /** An entry with its body. */
  add(header: Omit<TarHeader, "size">, body?: Bytes): void {
    const size = body?.length ?? 0;
    this.#put(tarHeader({ ...header, size }));
    if (body) {
      this.#put(body);
      this.#put(tarPadding(size));
    }
  }

  /** The end mark. */
  end(): void {
    this.#put(tarEnd);
    this.#flush();
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

const WORDS = 16384;

/**
 * Bytes that compress to about half, as programs do: random numbers of two bytes each in four. The same seed gives the same bytes, and
 * different seeds different ones.
 */
export function content(seed: number, sizeBytes: number): Bytes {
  const words = new Uint32Array(Math.min(WORDS, Math.ceil(sizeBytes / 4)));
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state & 0xffff;
  }
  const block = new Uint8Array(words.buffer);
  if (sizeBytes <= block.length) return block.subarray(0, sizeBytes);
  const bytes = new Uint8Array(sizeBytes);
  for (let start = 0; start < sizeBytes; start += block.length) {
    // Each block differs in its first word, or a compressor would see one block only.
    words[0] = start / 4 + seed;
    for (let i = 1; i < words.length; i += 16) words[i] = (words[i]! + seed + start) >>> 0;
    bytes.set(block.subarray(0, Math.min(block.length, sizeBytes - start)), start);
  }
  return bytes;
}
