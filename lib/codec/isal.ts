/** gzip through Intel's ISA-L, more than twice as fast as zlib. Opened on first use; may be absent. */
import { address, type Bytes } from "../sys/libc.ts";
import type { Decoder, DecoderBuffers } from "./inflate.ts";

/*
 * struct inflate_state (isa-l/igzip_lib.h), 87,368 bytes in 2.30. Its inner offsets are no promise of the soname: isalWorks() tries
 * them on known data before anything relies on them.
 */
const STATE_BYTES = 128 * 1024;
const NEXT_OUT = 0, AVAIL_OUT = 8, NEXT_IN = 16, AVAIL_IN = 32, BLOCK_STATE = 21160, CRC_FLAG = 21172;
/** enum isal_block_state: a member is done, its trailer checked. */
const ISAL_BLOCK_FINISH = 5;
/** crc_flag: a gzip header is read, checksum and length are verified. */
const ISAL_GZIP = 1;

const REASONS: Readonly<Record<number, string>> = {
  [-1]: "invalid block",
  [-2]: "invalid symbol",
  [-3]: "invalid lookback distance",
  [-4]: "no gzip header where a member must begin",
  [-5]: "unsupported method",
  [-6]: "wrong checksum or length",
};

function open() {
  return Deno.dlopen("libisal.so.2", {
    /** void isal_inflate_init(struct inflate_state *state) */
    isal_inflate_init: { parameters: ["buffer"], result: "void" },
    /** void isal_inflate_reset(struct inflate_state *state); keeps next_in and avail_in */
    isal_inflate_reset: { parameters: ["buffer"], result: "void" },
    /** int isal_inflate(struct inflate_state *state) */
    isal_inflate: { parameters: ["buffer"], result: "i32" },
    /** the same on a pool thread */
    isal_inflate_later: { name: "isal_inflate", parameters: ["buffer"], result: "i32", nonblocking: true },
  }).symbols;
}

let symbols: ReturnType<typeof open> | undefined;
let works: boolean | undefined;

/** Whether ISA-L is installed and gave the right answers when asked for the first time. */
export function isalWorks(): boolean {
  works ??= selfTest();
  return works;
}

/** Decodes gzip; use only where {@linkcode isalWorks}. */
export class IsalDecoder implements Decoder {
  readonly #library = symbols ??= open();
  readonly #state: Bytes = new Uint8Array(STATE_BYTES);
  readonly #view = new DataView(this.#state.buffer);
  readonly #buffers: DecoderBuffers;
  readonly #inputAddress: bigint;
  /** Nothing was read since the last reset. */
  #fresh = true;

  constructor(buffers: DecoderBuffers) {
    this.#buffers = buffers;
    this.#inputAddress = address(buffers.input);
    this.reset();
  }

  get inputLeft(): number {
    return this.#view.getUint32(AVAIL_IN, true);
  }

  get atEnd(): boolean {
    return this.#fresh || this.#view.getUint32(BLOCK_STATE, true) === ISAL_BLOCK_FINISH;
  }

  reset(): void {
    this.#library.isal_inflate_init(this.#state);
    this.#view.setUint32(CRC_FLAG, ISAL_GZIP, true);
    this.#view.setUint32(AVAIL_IN, 0, true);
    this.#fresh = true;
  }

  feed(length: number): void {
    if (this.inputLeft > 0) throw new RangeError(`Fed while ${this.inputLeft} input bytes are unread`);
    this.#view.setBigUint64(NEXT_IN, this.#inputAddress, true);
    this.#view.setUint32(AVAIL_IN, length, true);
  }

  run(offset: number, length: number): number {
    if (!this.#prepare(offset, length)) return 0;
    return this.#written(this.#library.isal_inflate(this.#state), length);
  }

  async start(offset: number, length: number): Promise<number> {
    if (!this.#prepare(offset, length)) return 0;
    return this.#written(await this.#library.isal_inflate_later(this.#state), length);
  }

  /** Aims at the output; false where a member is over and nothing follows yet. */
  #prepare(offset: number, length: number): boolean {
    if (this.atEnd) {
      if (this.inputLeft === 0) return false;
      if (!this.#fresh) {
        this.#library.isal_inflate_reset(this.#state);
        this.#view.setUint32(CRC_FLAG, ISAL_GZIP, true);
      }
      this.#fresh = false;
    }
    this.#view.setBigUint64(NEXT_OUT, this.#buffers.output.address + BigInt(offset), true);
    this.#view.setUint32(AVAIL_OUT, length, true);
    return true;
  }

  #written(code: number, length: number): number {
    if (code < 0) throw new SyntaxError(`Gzip data is corrupt: ${REASONS[code] ?? `ISA-L error ${code}`}`);
    return length - this.#view.getUint32(AVAIL_OUT, true);
  }
}

/** gzip of the text below as two members; the first is followed by its checksum and length, or by a wrong checksum. */
const TEXT = "ISA-L self-test, ".repeat(3) + "twice";
const FIRST_MEMBER = "1f8b0800000000000003f30c76d4f551284ecd49d32d492d2ed151f024280000";
const FIRST_TRAILER = "041ecd6e33000000", WRONG_TRAILER = "001ecd6e33000000";
const SECOND_MEMBER = "1f8b08000000000000032b29cf4c4e05002b74960805000000";

/** Inflates in two pieces cut inside the first member; undefined where the data is refused or does not end. */
function inflateInTwo(decoder: IsalDecoder, buffers: DecoderBuffers, gzip: Bytes): string | undefined {
  let out = "";
  decoder.reset();
  for (const piece of [gzip.subarray(0, 21), gzip.subarray(21)]) {
    buffers.input.set(piece);
    decoder.feed(piece.length);
    while (decoder.inputLeft > 0) {
      try {
        const n = decoder.run(0, buffers.output.size);
        out += new TextDecoder().decode(buffers.output.view.subarray(0, n));
      } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
      }
    }
  }
  return decoder.atEnd ? out : undefined;
}

function selfTest(): boolean {
  try {
    symbols ??= open();
  } catch {
    return false; // not installed: zlib serves as well
  }
  const view = new Uint8Array(256);
  const buffers = { input: new Uint8Array(256), output: { address: address(view), view, size: view.length } };
  const decoder = new IsalDecoder(buffers);
  const good = Uint8Array.fromHex(FIRST_MEMBER + FIRST_TRAILER + SECOND_MEMBER);
  const bad = Uint8Array.fromHex(FIRST_MEMBER + WRONG_TRAILER + SECOND_MEMBER);
  return inflateInTwo(decoder, buffers, good) === TEXT && inflateInTwo(decoder, buffers, bad) === undefined &&
    inflateInTwo(decoder, buffers, good.subarray(0, -3)) === undefined;
}
