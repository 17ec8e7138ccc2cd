/**
 * From a layer's compressed bytes to its tar, in pieces, between two buffers that never change.
 *
 * Every decoder reads on after a gzip member or zstd frame (pigz, eStargz, zstd:chunked). Whatever else follows the last one, zeros
 * too, is an error: the reference reads no further than the tar's end, and so never looks at it.
 */
import type { Bytes, DoubleRing } from "../sys/libc.ts";
import { UserError } from "../sys/errors.ts";
import { CopyDecoder } from "./copy.ts";
import { IsalDecoder, isalWorks } from "./isal.ts";
import { ZlibDecoder } from "./zlib.ts";
import { ZstdDecoder } from "./zstd.ts";

/** How a layer is compressed. */
export type Compression = "none" | "gzip" | "zstd";

/** The two buffers that a decoder works between, for its whole life. */
export interface DecoderBuffers {
  readonly input: Bytes;
  readonly output: DoubleRing;
}

/**
 * A decompressor with fixed state. The order of calls: `feed`, then `run` (or `start`) until no input is left and the last call gave
 * less than it was allowed, then `feed` again. At the end of the input, anything but `atEnd` means that the data was cut short.
 *
 * After an error only `reset()` makes it usable again.
 */
export interface Decoder {
  /** Bytes [0, length) of the input buffer are new. @throws {RangeError} while older ones are unread */
  feed(length: number): void;
  /**
   * Inflates until the input is used up, `length` bytes are out or a member ends; gives the bytes written at ring position `offset`
   * (0 <= offset < size, length <= size). 0 with input left is possible: call again.
   * @throws {SyntaxError} when the data is corrupt
   */
  run(offset: number, length: number): number;
  /**
   * Like {@linkcode Decoder.run} on a pool thread. Until it is done both buffers belong to it, and no other method may be called.
   * @throws {SyntaxError} when the data is corrupt
   */
  start(offset: number, length: number): Promise<number>;
  /** Input bytes not yet read. */
  readonly inputLeft: number;
  /** A clean place to stop: between members or frames, or before any. */
  readonly atEnd: boolean;
  /** Ready for another layer, with the same buffers and without new memory. */
  reset(): void;
}

/**
 * Makes the decoder for a compression. gzip goes through ISA-L where that is installed and passes its self-test, through zlib
 * otherwise (half as fast); `isal: false` leaves ISA-L out.
 * @throws {UserError} when the library for it is not installed
 */
export function decoderFor(
  compression: Compression,
  buffers: DecoderBuffers,
  options: { isal?: boolean } = {},
): Decoder {
  switch (compression) {
    case "none":
      return new CopyDecoder(buffers);
    case "gzip":
      return (options.isal ?? true) && isalWorks() ? new IsalDecoder(buffers) : new ZlibDecoder(buffers);
    case "zstd":
      return new ZstdDecoder(buffers);
  }
}

/** OCI image specification 1.1, layer.md; docker image manifest v2 schema 2. */
const MEDIA_TYPES: ReadonlyMap<string, Compression> = new Map([
  ["application/vnd.oci.image.layer.v1.tar", "none"],
  ["application/vnd.oci.image.layer.v1.tar+gzip", "gzip"],
  ["application/vnd.oci.image.layer.v1.tar+zstd", "zstd"],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar", "none"],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "gzip"],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", "zstd"],
  ["application/vnd.docker.image.rootfs.diff.tar", "none"],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"],
  ["application/vnd.docker.image.rootfs.diff.tar.zstd", "zstd"],
  ["application/vnd.docker.image.rootfs.foreign.diff.tar", "none"],
  ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "gzip"],
]);

/** The compression that a layer's media type names. @throws {UserError} on a type that is no file system layer */
export function compressionOf(mediaType: string): Compression {
  const compression = MEDIA_TYPES.get(mediaType);
  if (compression !== undefined) return compression;
  throw new UserError(`Unsupported layer media type ${JSON.stringify(mediaType.slice(0, 200))}`, {
    hint:
      "Layers must be tar, plain or compressed with gzip or zstd; check that this is a container image and no other artifact",
  });
}
