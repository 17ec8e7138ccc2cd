/** gzip through zlib, which is everywhere; the fallback of ISA-L. Opened on first use. */
import { address, type Bytes, cstr } from "../sys/libc.ts";
import { UserError } from "../sys/errors.ts";
import type { Decoder, DecoderBuffers } from "./inflate.ts";

/** struct z_stream (zlib.h), 112 bytes on LP64. zlib keeps a pointer to it, so it must not move: it is never replaced. */
const STREAM_BYTES = 112;
const NEXT_IN = 0, AVAIL_IN = 8, NEXT_OUT = 24, AVAIL_OUT = 32;
const Z_OK = 0, Z_STREAM_END = 1, Z_MEM_ERROR = -4, Z_BUF_ERROR = -5;
/** The largest window, and a gzip wrapper whose checksum and length are verified. */
const WINDOW_BITS_GZIP = 15 + 16;

function open() {
  try {
    return Deno.dlopen("libz.so.1", {
      /** int inflateInit2_(z_streamp strm, int windowBits, const char *version, int stream_size) */
      inflateInit2_: { parameters: ["buffer", "i32", "buffer", "i32"], result: "i32" },
      /** int inflateReset(z_streamp strm) */
      inflateReset: { parameters: ["buffer"], result: "i32" },
      /** int inflateEnd(z_streamp strm) */
      inflateEnd: { parameters: ["buffer"], result: "i32" },
      /** int inflate(z_streamp strm, int flush) */
      inflate: { parameters: ["buffer", "i32"], result: "i32" },
      /** the same on a pool thread */
      inflate_later: { name: "inflate", parameters: ["buffer", "i32"], result: "i32", nonblocking: true },
    }).symbols;
  } catch (cause) {
    throw new UserError("Cannot read gzip data: libz.so.1 is missing", { cause, hint: "Install zlib (zlib1g)" });
  }
}

let symbols: ReturnType<typeof open> | undefined;
/** Gives zlib's own 40 KiB back when a decoder is gone; what is held is the stream, not the decoder. */
const forgotten = new FinalizationRegistry<Bytes>((stream) => symbols!.inflateEnd(stream));

/** Decodes gzip. */
export class ZlibDecoder implements Decoder {
  readonly #library = symbols ??= open();
  readonly #stream: Bytes = new Uint8Array(STREAM_BYTES);
  readonly #view = new DataView(this.#stream.buffer);
  readonly #buffers: DecoderBuffers;
  readonly #inputAddress: bigint;
  #fresh = true;
  #atEnd = true;

  /** @throws {UserError} when zlib is not installed */
  constructor(buffers: DecoderBuffers) {
    this.#buffers = buffers;
    this.#inputAddress = address(buffers.input);
    const code = this.#library.inflateInit2_(this.#stream, WINDOW_BITS_GZIP, cstr("1.2.11"), STREAM_BYTES);
    if (code !== Z_OK) throw new Error(`Cannot start zlib: error ${code}`);
    forgotten.register(this, this.#stream);
  }

  get inputLeft(): number {
    return this.#view.getUint32(AVAIL_IN, true);
  }

  get atEnd(): boolean {
    return this.#atEnd;
  }

  reset(): void {
    this.#library.inflateReset(this.#stream);
    this.#view.setUint32(AVAIL_IN, 0, true);
    this.#fresh = this.#atEnd = true;
  }

  feed(length: number): void {
    if (this.inputLeft > 0) throw new RangeError(`Fed while ${this.inputLeft} input bytes are unread`);
    this.#view.setBigUint64(NEXT_IN, this.#inputAddress, true);
    this.#view.setUint32(AVAIL_IN, length, true);
  }

  run(offset: number, length: number): number {
    if (!this.#prepare(offset, length)) return 0;
    return this.#written(this.#library.inflate(this.#stream, 0), length);
  }

  async start(offset: number, length: number): Promise<number> {
    if (!this.#prepare(offset, length)) return 0;
    return this.#written(await this.#library.inflate_later(this.#stream, 0), length);
  }

  /** Aims at the output; false where a member is over and nothing follows yet. */
  #prepare(offset: number, length: number): boolean {
    if (this.#atEnd) {
      if (this.inputLeft === 0) return false;
      if (!this.#fresh) this.#library.inflateReset(this.#stream);
      this.#fresh = this.#atEnd = false;
    }
    this.#view.setBigUint64(NEXT_OUT, this.#buffers.output.address + BigInt(offset), true);
    this.#view.setUint32(AVAIL_OUT, length, true);
    return true;
  }

  #written(code: number, length: number): number {
    if (code === Z_MEM_ERROR) throw new Error("Cannot read gzip data: no memory left");
    if (code === Z_STREAM_END) this.#atEnd = true;
    else if (code !== Z_OK && code !== Z_BUF_ERROR) {
      throw new SyntaxError(`Gzip data is corrupt: ${this.#reason(code)}`);
    }
    return length - this.#view.getUint32(AVAIL_OUT, true);
  }

  /** zlib's own words (`msg`, static storage) where it has some. */
  #reason(code: number): string {
    const message = Deno.UnsafePointer.create(this.#view.getBigUint64(48, true));
    return message === null ? `zlib error ${code}` : Deno.UnsafePointerView.getCString(message);
  }
}
