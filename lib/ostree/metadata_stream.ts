/** A metadata object written through a fixed buffer: only one larger than the buffer touches a temporary file before its name is known. */
import type { Bytes } from "../sys/libc.ts";
import type { MetadataStream } from "./store.ts";

/** What the stream hands its bytes to. */
export interface MetadataTarget {
  /** All of a small object. */
  whole(bytes: Bytes): Bytes;
  begin(): void;
  piece(bytes: Bytes): void;
  end(): Bytes;
}

const BUFFER = new Uint8Array(64 << 10);

/** One object at a time: all streams share one buffer. */
export class DirectMetadataStream implements MetadataStream {
  #used = 0;
  #large = false;

  constructor(readonly target: MetadataTarget) {}

  #room(length: number): void {
    if (this.#used + length <= BUFFER.length) return;
    if (!this.#large) {
      this.#large = true;
      this.target.begin();
    }
    this.target.piece(BUFFER.subarray(0, this.#used));
    this.#used = 0;
  }

  bytes(source: Uint8Array, start: number, length: number): void {
    this.#room(length);
    let at = this.#used;
    for (let i = 0; i < length; i++) BUFFER[at++] = source[start + i]!;
    this.#used = at;
  }

  number(value: number, width: number): void {
    this.#room(width);
    for (let i = 0; i < width; i++) {
      BUFFER[this.#used++] = value & 255;
      value = Math.floor(value / 256);
    }
  }

  end(): Bytes {
    const rest = BUFFER.subarray(0, this.#used);
    if (!this.#large) return this.target.whole(rest);
    this.target.piece(rest);
    return this.target.end();
  }
}
