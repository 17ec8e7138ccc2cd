/** What an initramfs has in it: one that cannot find an ostree root, or the file system, deploys like any other and ends in a kernel panic. */
import { CpioNames } from "../codec/cpio.ts";
import { type Compression, decoderFor } from "../codec/inflate.ts";
import { type Bytes, doubleRing } from "../sys/libc.ts";
import { throwIfInterrupted } from "../sys/errors.ts";

/** Fills a buffer with the next bytes of the file; 0 at its end. */
export type ReadBytes = (buffer: Bytes) => number;

/** What ostree's modules for dracut and initramfs-tools put there; it switches to the deployment. */
export const PREPARE_ROOT = /(?:^|\/)ostree-prepare-root$/;

const PIECE_BYTES = 256 << 10;

/** Magic numbers of RFC 1952 and RFC 8878. What else the kernel knows (xz, lz4, lzo, bzip2) is not looked into. */
function compressionAt(bytes: Bytes): Compression | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip";
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return "zstd";
  return undefined;
}

/**
 * Whether each of these patterns fits the name of a file: true, or false where the whole of it could be read; undefined where it is compressed
 * in a way that this program does not read, or is no initramfs at all. An uncompressed archive in front, as with microcode, is searched too.
 * @throws {Interrupted}
 */
export async function searchInitramfs(
  read: ReadBytes,
  patterns: readonly RegExp[],
  signal: AbortSignal,
): Promise<(boolean | undefined)[]> {
  const found = new Set<RegExp>();
  const names = new CpioNames((name) => {
    for (const pattern of patterns) if (pattern.test(name)) found.add(pattern);
  });
  const whole = await readWhole({ read, names, signal }, () => found.size === patterns.length);
  return patterns.map((pattern) => found.has(pattern) || (whole ? false : undefined));
}

/** {@linkcode searchInitramfs} for what makes an ostree root of the disk. @throws {Interrupted} */
export async function findsOstreeRoot(read: ReadBytes, signal: AbortSignal): Promise<boolean | undefined> {
  return (await searchInitramfs(read, [PREPARE_ROOT], signal))[0];
}

/** The driver of a file system, as a module in whatever compression. */
export function driverPattern(fileSystem: string): RegExp {
  return new RegExp(`/${fileSystem}\\.ko(?:\\.(?:gz|xz|zst))?$`);
}

/** True where all of it was read. */
async function readWhole(
  { read, names, signal }: Pick<Compressed, "read" | "names" | "signal">,
  enough: () => boolean,
): Promise<boolean> {
  const input = new Uint8Array(PIECE_BYTES);
  try {
    const rest = plainArchives(read, input, names);
    if (enough()) return true;
    if (rest === 0) return names.betweenEntries;
    return await compressedArchives({ read, input, rest, names, signal }, enough);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}

/** Reads until something begins that is no archive; its bytes, as far as they were read, are at the front of `input` then. */
function plainArchives(read: ReadBytes, input: Bytes, names: CpioNames): number {
  for (let length; (length = read(input)) > 0;) {
    const used = names.feed(input.subarray(0, length));
    if (used === length) continue;
    input.copyWithin(0, used, length);
    return length - used;
  }
  return 0;
}

interface Compressed {
  readonly read: ReadBytes;
  readonly input: Bytes;
  /** Bytes of `input` that are there. */
  readonly rest: number;
  readonly names: CpioNames;
  readonly signal: AbortSignal;
}

/** Inflates until `enough`; false where the end was not clean, or the compression is not known. @throws {SyntaxError} */
async function compressedArchives(
  { read, input, rest, names, signal }: Compressed,
  enough: () => boolean,
): Promise<boolean> {
  const compression = compressionAt(input.subarray(0, rest));
  if (compression === undefined) return false;
  const output = doubleRing(PIECE_BYTES);
  const decoder = decoderFor(compression, { input, output });
  for (let length = rest; length > 0 && !enough(); length = read(input)) {
    throwIfInterrupted(signal);
    decoder.feed(length);
    for (let got = PIECE_BYTES; decoder.inputLeft > 0 || got === PIECE_BYTES;) {
      got = await decoder.start(0, PIECE_BYTES);
      if (names.feed(output.view.subarray(0, got)) < got) return false;
    }
  }
  return decoder.atEnd && names.betweenEntries;
}
