/**
 * The dirtree object, `(a(say)a(sayay))`: names and checksums of a directory's files, then of its directories, each sorted by bytes.
 * Source: libostree `ostree-core.h`, `OSTREE_TREE_GVARIANT_STRING`.
 */
import type { Bytes } from "../sys/libc.ts";
import { offsetWidth, offsetWidthIn, readLittle } from "./objects.ts";
import type { MetadataStream } from "./store.ts";

const CHECKSUM_BYTES = 32;
const NAME_MAX_BYTES = 255;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Receives a dirtree's entries in order; a name is `bytes[start, end)`, checksums start at the given places. */
export interface DirtreeVisitor {
  file(bytes: Bytes, start: number, end: number, checksumAt: number): void;
  directory(bytes: Bytes, start: number, end: number, treeAt: number): void;
}

/**
 * Walks a dirtree. Framing, lengths and names are checked: UTF-8, no empty name, no slash, no NUL, neither `.` nor `..`, strictly
 * ascending.
 * The dirmeta's checksum of a directory lies 32 bytes behind its tree's.
 * @throws {RangeError} when it is malformed
 */
export function walkDirtree(bytes: Bytes, visitor: DirtreeVisitor): void {
  if (bytes.length === 0) throw malformed("it is empty");
  const width = offsetWidthIn(bytes.length);
  const split = readLittle(bytes, bytes.length - width, width);
  if (split > bytes.length - width) throw malformed("its framing is out of range");
  walkArray(bytes, 0, split, (start, end) => {
    const inner = offsetWidthIn(end - start);
    const nameEnd = start + readLittle(bytes, end - inner, inner);
    if (nameEnd + CHECKSUM_BYTES + inner !== end) throw malformed("a file's entry has a wrong length");
    visitor.file(bytes, start, nameEnd - 1, nameEnd);
    return nameEnd;
  });
  walkArray(bytes, split, bytes.length - width, (start, end) => {
    const inner = offsetWidthIn(end - start);
    const nameEnd = start + readLittle(bytes, end - inner, inner);
    if (nameEnd + 2 * CHECKSUM_BYTES + 2 * inner !== end) throw malformed("a directory's entry has a wrong length");
    visitor.directory(bytes, start, nameEnd - 1, nameEnd);
    return nameEnd;
  });
}

function malformed(why: string): RangeError {
  return new RangeError(`A dirtree object is malformed: ${why}`);
}

/** Calls `element` for each member of an array of variable-sized members; it returns the end of the member's name, NUL included. */
function walkArray(bytes: Bytes, from: number, to: number, element: (start: number, end: number) => number): void {
  if (from === to) return;
  const width = offsetWidthIn(to - from);
  const last = from + readLittle(bytes, to - width, width);
  if (last < from || last > to - width || (to - last) % width !== 0) throw malformed("its framing is out of range");
  let start = from, previous = -1, previousEnd = -1;
  for (let at = last; at < to; at += width) {
    const end = from + readLittle(bytes, at, width);
    if (end > last || end < start + 2) throw malformed("its framing is out of range");
    const nameEnd = element(start, end);
    checkName(bytes, start, nameEnd);
    if (previous >= 0 && !ascending(bytes, previous, previousEnd, start, nameEnd)) {
      throw malformed("its names are not sorted");
    }
    previous = start;
    previousEnd = nameEnd;
    start = end;
  }
}

function checkName(bytes: Bytes, start: number, end: number): void {
  const length = end - 1 - start;
  if (length < 1 || length > NAME_MAX_BYTES || bytes[end - 1] !== 0) {
    throw malformed("a name is empty, too long or not terminated");
  }
  if (bytes[start] === 0x2e && (length === 1 || (length === 2 && bytes[start + 1] === 0x2e))) {
    throw malformed("a name is a dot or two");
  }
  let high = 0;
  for (let i = start; i < end - 1; i++) {
    if (bytes[i] === 0x2f || bytes[i] === 0) throw malformed("a name holds a slash or NUL");
    high |= bytes[i]!;
  }
  if (high >= 0x80) requireUtf8(bytes.subarray(start, end - 1));
}

function requireUtf8(name: Bytes): void {
  try {
    utf8.decode(name);
  } catch {
    throw malformed("a name is not UTF-8");
  }
}

/** Names are compared with their NUL, so that a prefix sorts first. */
function ascending(bytes: Bytes, a: number, aEnd: number, b: number, bEnd: number): boolean {
  for (let i = 0; a + i < aEnd && b + i < bEnd; i++) {
    const difference = bytes[a + i]! - bytes[b + i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** The files or the directories of a dirtree to be written, in order of their names. */
export interface DirtreeMembers {
  readonly count: number;
  /** Bytes of the name, without NUL. */
  nameLength(index: number): number;
  putName(out: MetadataStream, index: number): void;
  /** 32 bytes of a file's checksum; of a directory those of its dirtree and its dirmeta. */
  putChecksums(out: MetadataStream, index: number): void;
}

/** Writes a dirtree; gives its checksum. */
export function writeDirtree(out: MetadataStream, files: DirtreeMembers, directories: DirtreeMembers): Bytes {
  const split = writeArray(out, files, 1);
  const end = split + writeArray(out, directories, 2);
  out.number(split, offsetWidth(end, 1));
  return out.end();
}

/** Writes an array of members with `checksums` checksums each; gives its bytes. */
function writeArray(out: MetadataStream, members: DirtreeMembers, checksums: 1 | 2): number {
  const fixedBytes = (length: number) => length + 1 + checksums * CHECKSUM_BYTES;
  const inner = (length: number) => offsetWidth(fixedBytes(length), checksums);
  const memberBytes = (index: number) => {
    const length = members.nameLength(index);
    return fixedBytes(length) + checksums * inner(length);
  };
  let body = 0;
  for (let i = 0; i < members.count; i++) {
    const length = members.nameLength(i);
    members.putName(out, i);
    out.number(0, 1);
    members.putChecksums(out, i);
    // framing offsets stand in reverse: the end of the member before the last, then that of the name
    if (checksums === 2) out.number(length + 1 + CHECKSUM_BYTES, inner(length));
    out.number(length + 1, inner(length));
    body += memberBytes(i);
  }
  const width = offsetWidth(body, members.count);
  let end = 0;
  for (let i = 0; i < members.count; i++) out.number(end += memberBytes(i), width);
  return body + width * members.count;
}
