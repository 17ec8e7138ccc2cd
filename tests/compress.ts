/** Compressors for test images, each with the framing that some builder uses. */
import type { Bytes } from "../lib/sys/libc.ts";

/** The part of node:zlib that is used; imported by name, since its types are no dependency of ours. */
interface Zlib {
  gzipSync(data: Bytes, options?: { level?: number }): Uint8Array;
  gunzipSync(data: Bytes): Uint8Array;
  zstdCompressSync(data: Bytes): Uint8Array;
  inflateRawSync(data: Bytes): Uint8Array;
}

const { process } = globalThis as unknown as { process: { getBuiltinModule(name: "node:zlib"): Zlib } };
const zlib = process.getBuiltinModule("node:zlib");

/** One gzip member. */
export function gzip(data: Bytes, options: { level?: number } = {}): Bytes {
  return new Uint8Array(zlib.gzipSync(data, options));
}

/** Several gzip members, an empty one among them, as pigz -i and eStargz write them. */
export function gzipMembers(data: Bytes): Bytes {
  const pieces = cut(data, 3).map((piece) => gzip(piece));
  pieces.splice(1, 0, gzip(new Uint8Array(0)));
  return join(pieces);
}

/** One zstd frame. */
export function zstd(data: Bytes): Bytes {
  return new Uint8Array(zlib.zstdCompressSync(data));
}

/** A frame that decoders pass over. */
export function skippableFrame(payload: Bytes): Bytes {
  const frame = new Uint8Array(8 + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0x184d2a50, true);
  view.setUint32(4, payload.length, true);
  frame.set(payload, 8);
  return frame;
}

/** Several frames, and skippable ones between and behind them, as zstd:chunked has its manifest. */
export function zstdChunked(data: Bytes): Bytes {
  const [a, b, c] = cut(data, 3).map(zstd) as [Bytes, Bytes, Bytes];
  return join([a, skippableFrame(new Uint8Array(10)), b, c, skippableFrame(new Uint8Array(1000).fill(7))]);
}

/** The body of a `.filez` object. */
export function inflateRaw(data: Bytes): Bytes {
  return new Uint8Array(zlib.inflateRawSync(data));
}

function cut(data: Bytes, pieces: number): Bytes[] {
  const size = Math.ceil(data.length / pieces);
  return Array.from({ length: pieces }, (_, i) => data.subarray(i * size, (i + 1) * size));
}

function join(parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
