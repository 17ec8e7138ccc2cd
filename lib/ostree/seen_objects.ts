/** Which objects may exist already: a Bloom filter over their checksums, so that a new object mostly costs no question to the file system. */
import type { Bytes } from "../sys/libc.ts";

/** 2^21 bits: with 200,000 objects 3 of 100 answers are "perhaps" without need. */
const BITS = 1 << 21;

/** See the module's comment. */
export class SeenObjects {
  #bits = new Uint8Array(BITS / 8);

  add(checksum: Bytes): void {
    for (const bit of [first(checksum), second(checksum)]) this.#bits[bit >> 3]! |= 1 << (bit & 7);
  }

  /** False: surely none that was added. */
  perhaps(checksum: Bytes): boolean {
    const a = first(checksum), b = second(checksum);
    return (this.#bits[a >> 3]! >> (a & 7) & 1) === 1 && (this.#bits[b >> 3]! >> (b & 7) & 1) === 1;
  }
}

/** Two independent numbers of 21 bits: a checksum's bytes are as good as random. */
function first(checksum: Bytes): number {
  return (checksum[1]! << 16 | checksum[2]! << 8 | checksum[3]!) & (BITS - 1);
}

function second(checksum: Bytes): number {
  return (checksum[4]! << 16 | checksum[5]! << 8 | checksum[6]!) & (BITS - 1);
}
