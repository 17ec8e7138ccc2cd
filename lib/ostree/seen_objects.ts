/** Which objects may exist already: a Bloom filter over their checksums, so that a new object mostly costs no question to the file system. */
import { type Bytes, close, cstr, eachName, O_DIRECTORY, O_RDONLY, openat } from "../sys/libc.ts";

/** 2^21 bits: with 200,000 objects 3 of 100 answers are "perhaps" without need. */
const BITS = 1 << 21;
/** So many questions to the file system cost what listing some thousand objects does. */
const QUESTIONS_BEFORE_LISTING = 2000;
/** A loose object's name behind its shard's two digits. */
const NAME_DIGITS = 62;

/** See the module's comment. */
export class SeenObjects {
  #bits = new Uint8Array(BITS / 8);
  #questions = 0;
  #listed = false;

  add(checksum: Bytes): void {
    for (const bit of [first(checksum), second(checksum)]) this.#bits[bit >> 3]! |= 1 << (bit & 7);
  }

  /** False: surely none that was added. */
  perhaps(checksum: Bytes): boolean {
    const a = first(checksum), b = second(checksum);
    return (this.#bits[a >> 3]! >> (a & 7) & 1) === 1 && (this.#bits[b >> 3]! >> (b & 7) & 1) === 1;
  }

  /**
   * Whether the directory `objects` must still be asked for an object that was not added. After many questions it is listed instead, those
   * of its 256 shards that `shards` marks, and no more need be asked.
   */
  unlisted(objects: number, shards: Uint8Array): boolean {
    if (this.#listed) return false;
    if (++this.#questions < QUESTIONS_BEFORE_LISTING) return true;
    this.#listed = true;
    for (let i = 0; i < 256; i++) {
      if (shards[i]) this.#list(objects, i);
    }
    return true;
  }

  #list(objects: number, shard: number): void {
    const directory = openat(objects, cstr(shard.toString(16).padStart(2, "0")), O_RDONLY | O_DIRECTORY);
    const checksum = new Uint8Array(32);
    checksum[0] = shard;
    try {
      eachName(directory, (bytes, start, end) => {
        if (end - start > NAME_DIGITS && readHex(bytes, start, checksum)) this.add(checksum);
      });
    } finally {
      close(directory);
    }
  }
}

/** Two independent numbers of 21 bits: a checksum's bytes are as good as random. */
function first(checksum: Bytes): number {
  return (checksum[1]! << 16 | checksum[2]! << 8 | checksum[3]!) & (BITS - 1);
}

function second(checksum: Bytes): number {
  return (checksum[4]! << 16 | checksum[5]! << 8 | checksum[6]!) & (BITS - 1);
}

/** Reads hexadecimal digits behind a checksum's first byte; false where they are none. */
function readHex(bytes: Bytes, start: number, checksum: Bytes): boolean {
  for (let i = 1, at = start; i < 32; i++, at += 2) {
    const value = digit(bytes[at]!) << 4 | digit(bytes[at + 1]!);
    if (value < 0) return false;
    checksum[i] = value;
  }
  return true;
}

/** Negative for what is no digit. */
function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x61 + 10 : -1 << 8;
}
