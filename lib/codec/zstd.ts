/** zstd through libzstd. Opened on first use. */
import { address } from "../sys/libc.ts";
import { UserError } from "../sys/errors.ts";
import type { Decoder, DecoderBuffers } from "./inflate.ts";

function open() {
  try {
    return Deno.dlopen("libzstd.so.1", {
      /** ZSTD_DStream *ZSTD_createDStream(void) */
      ZSTD_createDStream: { parameters: [], result: "pointer" },
      /** size_t ZSTD_freeDStream(ZSTD_DStream *zds) */
      ZSTD_freeDStream: { parameters: ["pointer"], result: "usize" },
      /** size_t ZSTD_initDStream(ZSTD_DStream *zds); also forgets an unfinished frame */
      ZSTD_initDStream: { parameters: ["pointer"], result: "usize" },
      /** size_t ZSTD_decompressStream(ZSTD_DStream *zds, ZSTD_outBuffer *output, ZSTD_inBuffer *input) */
      ZSTD_decompressStream: { parameters: ["pointer", "buffer", "buffer"], result: "usize" },
      /** the same on a pool thread */
      ZSTD_decompressStream_later: {
        name: "ZSTD_decompressStream",
        parameters: ["pointer", "buffer", "buffer"],
        result: "usize",
        nonblocking: true,
      },
      /** unsigned ZSTD_isError(size_t code) */
      ZSTD_isError: { parameters: ["usize"], result: "u32" },
      /** const char *ZSTD_getErrorName(size_t code); static storage */
      ZSTD_getErrorName: { parameters: ["usize"], result: "pointer" },
    }).symbols;
  } catch (cause) {
    throw new UserError("Cannot read zstd data: libzstd.so.1 is missing", {
      cause,
      hint: "Install libzstd (libzstd1)",
    });
  }
}

let symbols: ReturnType<typeof open> | undefined;
/** Frees the C object of a decoder that is gone. */
const forgotten = new FinalizationRegistry<Deno.PointerObject>((stream) => void symbols!.ZSTD_freeDStream(stream));

/**
 * Decodes zstd: frames one after the other, skippable ones between them. A frame that asks for a window of more than 128 MiB is
 * refused (libzstd's own limit).
 */
export class ZstdDecoder implements Decoder {
  readonly #library = symbols ??= open();
  readonly #stream: Deno.PointerObject;
  /** ZSTD_inBuffer and ZSTD_outBuffer: pointer, size, position. Over array buffers of their own, which V8 never moves. */
  readonly #input = new BigUint64Array(new ArrayBuffer(24));
  readonly #output = new BigUint64Array(new ArrayBuffer(24));
  readonly #buffers: DecoderBuffers;
  readonly #inputAddress: bigint;
  #atEnd = true;

  /** @throws {UserError} when libzstd is not installed */
  constructor(buffers: DecoderBuffers) {
    this.#buffers = buffers;
    this.#inputAddress = address(buffers.input);
    const stream = this.#library.ZSTD_createDStream();
    if (stream === null) throw new Error("Cannot start zstd: no memory left");
    this.#stream = stream;
    forgotten.register(this, stream);
    this.reset();
  }

  get inputLeft(): number {
    return Number(this.#input[1]! - this.#input[2]!);
  }

  get atEnd(): boolean {
    return this.#atEnd;
  }

  reset(): void {
    this.#library.ZSTD_initDStream(this.#stream);
    this.#input.fill(0n);
    this.#atEnd = true;
  }

  feed(length: number): void {
    if (this.inputLeft > 0) throw new RangeError(`Fed while ${this.inputLeft} input bytes are unread`);
    this.#input[0] = this.#inputAddress;
    this.#input[1] = BigInt(length);
    this.#input[2] = 0n;
  }

  run(offset: number, length: number): number {
    if (!this.#prepare(offset, length)) return 0;
    return this.#written(this.#library.ZSTD_decompressStream(this.#stream, this.#output, this.#input));
  }

  async start(offset: number, length: number): Promise<number> {
    if (!this.#prepare(offset, length)) return 0;
    return this.#written(
      await this.#library.ZSTD_decompressStream_later(this.#stream, this.#output, this.#input),
    );
  }

  /** Aims at the output; false where a frame is over and nothing follows yet. */
  #prepare(offset: number, length: number): boolean {
    if (this.#atEnd && this.inputLeft === 0) return false;
    this.#output[0] = this.#buffers.output.address + BigInt(offset);
    this.#output[1] = BigInt(length);
    this.#output[2] = 0n;
    return true;
  }

  #written(code: bigint): number {
    if (this.#library.ZSTD_isError(code) !== 0) {
      const name = Deno.UnsafePointerView.getCString(this.#library.ZSTD_getErrorName(code)!);
      throw new SyntaxError(`Zstd data is corrupt: ${name}`);
    }
    this.#atEnd = code === 0n;
    return Number(this.#output[2]);
  }
}
