/**
 * The bytes of ostree's objects: headers that are hashed before a file's content, directory metadata, sorted sets of xattrs.
 *
 * Source: libostree `src/libostree/ostree-core.c` (`_ostree_file_header_new`, `ostree_create_directory_metadata`), 2022.7. All integers in
 * these variants are big-endian, unlike the framing offsets around them.
 */
import type { Bytes } from "../sys/libc.ts";

/** The kinds of object that a layer brings. */
export type ObjectType = "file" | "dirtree" | "dirmeta" | "commit";

/** The bits of a mode that say what a file is. */
export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
export const S_IFDIR = 0o040000;
export const S_IFLNK = 0o120000;

/** A file's metadata, as its object's checksum covers it. */
export interface FileMeta {
  uid: number;
  gid: number;
  /** With the file type's bits. */
  mode: number;
  /** Bytes of content; not part of the checksum's header. */
  size: number;
  /** Serialised `a(ayay)`, sorted; undefined for none. */
  xattrs: Bytes | undefined;
}

/** One extended attribute: name without NUL, and value. */
export type Xattr = readonly [name: Uint8Array, value: Uint8Array];

const HEX_DIGITS = new TextEncoder().encode("0123456789abcdef");
/** Two ASCII digits for each byte: `HEX[2 * b]`, `HEX[2 * b + 1]`. */
export const HEX: Bytes = new Uint8Array(512);
for (let i = 0; i < 256; i++) {
  HEX[2 * i] = HEX_DIGITS[i >> 4]!;
  HEX[2 * i + 1] = HEX_DIGITS[i & 15]!;
}

/** The width in bytes of a container's framing offsets (GVariant: the smallest that can say the whole size). */
export function offsetWidth(bodyBytes: number, offsets: number): number {
  let width = 1;
  while (bodyBytes + offsets * width > 2 ** (8 * width) - 1) width *= 2;
  return width;
}

/** Compares two byte strings as memcmp and strcmp do. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

function putLittle(target: Uint8Array, at: number, value: number, width: number): void {
  for (let i = 0; i < width; i++) {
    target[at + i] = value % 256;
    value = Math.floor(value / 256);
  }
}

/**
 * Serialises xattrs as `a(ayay)`, sorted by name: the order that `ostree fsck` computes, whatever the archive's was.
 * Undefined for the empty set, whose serialisation is empty.
 */
export function xattrSet(xattrs: readonly Xattr[]): Bytes | undefined {
  if (xattrs.length === 0) return undefined;
  const sorted = [...xattrs].sort((a, b) => compareBytes(a[0], b[0]));
  const elements = sorted.map(([name, value]) => {
    const body = name.length + 1 + value.length;
    const width = offsetWidth(body, 1);
    const element = new Uint8Array(body + width);
    element.set(name);
    element.set(value, name.length + 1);
    putLittle(element, body, name.length + 1, width);
    return element;
  });
  const bodyBytes = elements.reduce((sum, element) => sum + element.length, 0);
  const width = offsetWidth(bodyBytes, elements.length);
  const out = new Uint8Array(bodyBytes + width * elements.length);
  let end = 0;
  elements.forEach((element, i) => {
    out.set(element, end);
    end += element.length;
    putLittle(out, bodyBytes + i * width, end, width);
  });
  return out;
}

/** Reads a little-endian framing offset. */
export function readLittle(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

/** The width of framing offsets in a container of this total size. */
export function offsetWidthIn(totalBytes: number): number {
  return totalBytes <= 0xff ? 1 : totalBytes <= 0xffff ? 2 : totalBytes <= 0xffffffff ? 4 : 8;
}

/**
 * Reads a serialised `a(ayay)`; names without their NUL.
 * @throws {RangeError} when it is malformed
 */
export function parseXattrSet(bytes: Bytes | undefined): [Bytes, Bytes][] {
  if (bytes === undefined || bytes.length === 0) return [];
  const bad = () => new RangeError("A set of extended attributes is malformed");
  const width = offsetWidthIn(bytes.length);
  const bodyBytes = readLittle(bytes, bytes.length - width, width);
  if (bodyBytes > bytes.length || (bytes.length - bodyBytes) % width !== 0) throw bad();
  const out: [Bytes, Bytes][] = [];
  let start = 0;
  for (let at = bodyBytes; at < bytes.length; at += width) {
    const end = readLittle(bytes, at, width);
    const inner = offsetWidthIn(end - start);
    if (end > bodyBytes || end < start + inner) throw bad();
    const split = start + readLittle(bytes, end - inner, inner);
    if (split <= start || split > end - inner || bytes[split - 1] !== 0) throw bad();
    out.push([bytes.slice(start, split - 1), bytes.slice(split, end - inner)]);
    start = end;
  }
  return out;
}

/** Bytes of a file header without xattrs and link target. */
export const PLAIN_HEADER_BYTES = 26;

/** Writes the header of a regular file without xattrs into a reused buffer of {@linkcode PLAIN_HEADER_BYTES}. */
export function putPlainHeader(target: Bytes, uid: number, gid: number, mode: number): void {
  target.fill(0);
  target[3] = PLAIN_HEADER_BYTES - 8;
  putBig(target, 8, uid);
  putBig(target, 12, gid);
  putBig(target, 16, mode);
  target[25] = 17;
}

function putBig(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

const NONE: Bytes = new Uint8Array(0);

/** What is hashed before a file's content: u32 length, four zero bytes, `(uuuusa(ayay))`. `target` is a symlink's. */
export function fileHeader(meta: FileMeta, target: Uint8Array = NONE): Bytes {
  const xattrs = meta.xattrs ?? NONE;
  const bodyBytes = 16 + target.length + 1 + xattrs.length;
  const width = offsetWidth(bodyBytes, 1);
  const out = new Uint8Array(8 + bodyBytes + width);
  putBig(out, 0, bodyBytes + width);
  putBig(out, 8, meta.uid);
  putBig(out, 12, meta.gid);
  putBig(out, 16, meta.mode);
  out.set(target, 24);
  out.set(xattrs, 25 + target.length);
  putLittle(out, 8 + bodyBytes, 17 + target.length, width);
  return out;
}

/** A directory's metadata, `(uuua(ayay))`; `mode` without the file type. */
export function dirmetaBytes(owner: { uid: number; gid: number; mode: number }, xattrs?: Bytes): Bytes {
  return ownerBytes(owner.uid, owner.gid, S_IFDIR | owner.mode, xattrs);
}

/** `(uuua(ayay))`: a dirmeta object, or a bare-user file's `user.ostreemeta`. `mode` with the file type. */
export function ownerBytes(uid: number, gid: number, mode: number, xattrs: Bytes | undefined): Bytes {
  const out = new Uint8Array(12 + (xattrs?.length ?? 0));
  putBig(out, 0, uid);
  putBig(out, 4, gid);
  putBig(out, 8, mode);
  if (xattrs) out.set(xattrs, 12);
  return out;
}

/** One flat string with a character a byte: sorts as bytes do, and names that are no UTF-8 survive. */
export function binaryString(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (end - start < 4096) return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
  return binaryString(bytes, start, start + 4095) + binaryString(bytes, start + 4095, end);
}

/** The bytes of a {@linkcode binaryString}. */
export function fromBinaryString(text: string): Bytes {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

/** A {@linkcode binaryString} of path bytes as a person reads it. */
export function displayPath(text: string): string {
  return new TextDecoder().decode(fromBinaryString(text));
}
