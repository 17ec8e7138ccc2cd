/** The decoder of layers that are not compressed. */
import type { Decoder, DecoderBuffers } from "./inflate.ts";

/** Copies; there is no framing, so every place is a clean one to stop. */
export class CopyDecoder implements Decoder {
  readonly #buffers: DecoderBuffers;
  #position = 0;
  #end = 0;
  readonly atEnd = true;

  constructor(buffers: DecoderBuffers) {
    this.#buffers = buffers;
  }

  get inputLeft(): number {
    return this.#end - this.#position;
  }

  feed(length: number): void {
    if (this.inputLeft > 0) throw new RangeError(`Fed while ${this.inputLeft} input bytes are unread`);
    this.#position = 0;
    this.#end = length;
  }

  run(offset: number, length: number): number {
    const from = this.#position;
    const n = Math.min(length, this.#end - from);
    if (n > 0) this.#buffers.output.view.set(this.#buffers.input.subarray(from, from + n), offset);
    this.#position += n;
    return n;
  }

  start(offset: number, length: number): Promise<number> {
    return Promise.resolve(this.run(offset, length));
  }

  reset(): void {
    this.#position = this.#end = 0;
  }
}
