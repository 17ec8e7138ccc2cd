/** PAX extended headers (POSIX.1-2001 pax): "LENGTH KEY=VALUE\n" records. */
import type { Bytes } from "../sys/libc.ts";

/** Keys that carry an extended attribute's name after this. */
export const XATTR_PREFIX = "SCHILY.xattr.";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SPACE = 0x20, EQUALS = 0x3d, NEWLINE = 0x0a, DIGIT_0 = 0x30;
/** 7 digits count to 10 MB, ten times what a header may have. */
const MAX_LENGTH_DIGITS = 7;

/**
 * Adds the records in block[0, end) to `into`: a later one replaces an earlier, an empty value takes the key away. Values are copies.
 * Times are left out: nothing here keeps them, and writers in Go give every entry some.
 * @throws {SyntaxError} unless the block is exactly a row of records
 */
export function readPaxRecords(block: Uint8Array, end: number, into: Map<string, Bytes>): void {
  for (let at = 0; at < end;) {
    let length = 0;
    let position = at;
    for (; position < end && block[position] !== SPACE; position++) {
      const digit = block[position]! - DIGIT_0;
      if (digit < 0 || digit > 9 || position - at >= MAX_LENGTH_DIGITS) {
        throw new SyntaxError("PAX record without a length");
      }
      length = length * 10 + digit;
    }
    const key = position + 1, recordEnd = at + length;
    if (recordEnd > end) throw new SyntaxError("PAX record longer than its header");
    if (recordEnd <= key || block[recordEnd - 1] !== NEWLINE) {
      throw new SyntaxError("PAX record that does not end where it says");
    }
    let equals = key, bits = 0;
    for (; equals < recordEnd && block[equals] !== EQUALS; equals++) {
      if (block[equals] === 0) throw new SyntaxError("PAX record with a NUL in its key");
      bits |= block[equals]!;
    }
    if (equals === recordEnd || equals === key) throw new SyntaxError("PAX record without a key");
    if (!isTime(block, key, equals)) {
      add(keyText(block.subarray(key, equals), bits), block.subarray(equals + 1, recordEnd - 1), into);
    }
    at = recordEnd;
  }
}

/** A key as text. Nearly all are ASCII, which needs no decoder (67 ns instead of 240 for a key of 19 bytes). */
function keyText(key: Uint8Array, bits: number): string {
  if (bits < 0x80 && key.length < 256) return String.fromCharCode.apply(null, key as unknown as number[]);
  try {
    return decoder.decode(key);
  } catch {
    throw new SyntaxError("PAX record whose key is not UTF-8");
  }
}

function add(name: string, value: Uint8Array, into: Map<string, Bytes>): void {
  if (name.startsWith(XATTR_PREFIX)) {
    if (name.length === XATTR_PREFIX.length) throw new SyntaxError("PAX record of an attribute without a name");
  } else if (value.length === 0) {
    into.delete(name); // back to what the header block says; an empty attribute is a value
    return;
  }
  into.set(name, new Uint8Array(value));
}

/** mtime, atime, ctime */
function isTime(block: Uint8Array, start: number, end: number): boolean {
  return end - start === 5 && block[start + 1] === 0x74 && block[start + 2] === 0x69 && block[start + 3] === 0x6d &&
    block[start + 4] === 0x65;
}

/** The decimal number of a record. @throws {SyntaxError} on anything but digits, or more than 2^53 */
export function paxNumber(key: string, value: Bytes): number {
  const text = new TextDecoder().decode(value.subarray(0, 32));
  const number = Number(text);
  if (value.length > 20 || !/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new SyntaxError(`PAX ${key} ${JSON.stringify(text)}, which is no number from 0 to 2^53`);
  }
  return number;
}
