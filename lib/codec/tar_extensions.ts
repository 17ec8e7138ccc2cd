/** The headers of a tar archive that speak about the entry behind them: PAX x and g, GNU long name L and long link K. */
import type { Bytes } from "../sys/libc.ts";
import { readPaxRecords } from "./pax.ts";
import { BLOCK } from "./tar_fields.ts";

const PAX_NEXT = 0x78, PAX_GLOBAL = 0x67, GNU_NAME = 0x4c, GNU_LINK = 0x4b;
/** All extension headers of one entry together, 1 MiB and their own blocks; a single xattr has at most 64 KiB. */
const MAX_BYTES = 1024 * 1024 + 16 * BLOCK;
/** Global records are laid under every entry's own, so their number must stay small. */
const MAX_GLOBAL_RECORDS = 256;

/** Whether a typeflag announces one of these headers. */
export function isExtension(flag: number): boolean {
  return flag === PAX_NEXT || flag === PAX_GLOBAL || flag === GNU_NAME || flag === GNU_LINK;
}

/** Gathers the extension headers in front of an entry. Bodies are copied as they stream by: a window need not hold one. */
export class TarExtensions {
  /** Whole name and link target of the next entry, from GNU headers. */
  name: Bytes | undefined;
  link: Bytes | undefined;

  #buffer: Bytes = new Uint8Array(1024);
  #type = 0;
  #size = 0;
  #filled = 0;
  #bytes = 0;
  #globalBytes = 0;
  readonly #own = new Map<string, Bytes>();
  readonly #global = new Map<string, Bytes>();

  /** The next entry has such a header. */
  get any(): boolean {
    return this.#bytes > 0;
  }

  /** Body bytes that are still to come. */
  get missing(): number {
    return this.#size - this.#filled;
  }

  /** Body bytes that were taken so far. */
  get filled(): number {
    return this.#filled;
  }

  /** Zero bytes between the end of the body and the next block. */
  get padding(): number {
    return (BLOCK - this.#size % BLOCK) % BLOCK;
  }

  /** PAX records for the next entry, its own over the global ones; good until {@linkcode TarExtensions.forget}. */
  get pax(): ReadonlyMap<string, Bytes> | undefined {
    if (this.#own.size === 0) return this.#global.size === 0 ? undefined : this.#global;
    return this.#global.size === 0 ? this.#own : new Map([...this.#global, ...this.#own]);
  }

  /** A header with a body of this size was read. @throws {SyntaxError} when it is too large */
  begin(type: number, size: number): void {
    if (type === PAX_GLOBAL) this.#globalBytes += BLOCK + size;
    else this.#bytes += BLOCK + size;
    if (this.#bytes > MAX_BYTES || this.#globalBytes > MAX_BYTES) {
      throw new SyntaxError("Extended headers of more than 1 MiB");
    }
    this.#type = type;
    this.#size = size;
    this.#filled = 0;
    if (size > this.#buffer.length) this.#buffer = new Uint8Array(Math.max(size, this.#buffer.length * 2));
    if (size === 0) this.#done();
  }

  /** Takes what it needs of window[start, end); the position behind it. @throws {SyntaxError} when the body is malformed */
  fill(window: Bytes, start: number, end: number): number {
    const to = Math.min(end, start + this.missing);
    this.#buffer.set(window.subarray(start, to), this.#filled);
    this.#filled += to - start;
    if (this.missing === 0) this.#done();
    return to;
  }

  /** The entry has been handed over. */
  forget(): void {
    if (this.#bytes === 0) return;
    this.#bytes = 0;
    this.name = this.link = undefined;
    this.#own.clear();
  }

  #done(): void {
    switch (this.#type) {
      case PAX_NEXT:
        return readPaxRecords(this.#buffer, this.#size, this.#own);
      case PAX_GLOBAL:
        return this.#checkedGlobal();
      case GNU_NAME:
        this.name = this.#text();
        return;
      default:
        this.link = this.#text();
    }
  }

  #text(): Bytes {
    const end = this.#buffer.indexOf(0);
    const text = this.#buffer.slice(0, end < 0 ? this.#size : Math.min(end, this.#size));
    if (text.length === 0) throw new SyntaxError("GNU long name that is empty");
    return text;
  }

  /** A name or size for every entry to come makes no sense but to hide something from readers that ignore it. */
  #checkedGlobal(): void {
    readPaxRecords(this.#buffer, this.#size, this.#global);
    if (this.#global.size > MAX_GLOBAL_RECORDS) {
      throw new SyntaxError(`Global PAX header with more than ${MAX_GLOBAL_RECORDS} records`);
    }
    for (const key of this.#global.keys()) {
      if (/^(?:path|linkpath|size)$|^GNU\.sparse\./.test(key)) {
        throw new SyntaxError(`Global PAX header that sets ${key}`);
      }
    }
  }
}
