/** The 512-byte header of tar (POSIX ustar, GNU, version 7): where its fields are, its numbers and checksum. */

export const BLOCK = 512;
/** Field positions, with their lengths. */
export const NAME = 0, NAME_BYTES = 100;
export const MODE = 100, UID = 108, GID = 116, ID_BYTES = 8;
export const SIZE = 124, MTIME = 136, LONG_BYTES = 12;
export const CHECKSUM = 148, CHECKSUM_BYTES = 8;
export const TYPE = 156;
export const LINK = 157, LINK_BYTES = 100;
export const MAGIC = 257;
export const UNAME = 265, GNAME = 297, OWNER_BYTES = 32;
export const DEVICE_MAJOR = 329, DEVICE_MINOR = 337;
export const PREFIX = 345, PREFIX_BYTES = 155;

/** Kinds of entries, by the character code of their typeflag. */
export const TYPE_FILE = 0x30;
export const TYPE_HARDLINK = 0x31;
export const TYPE_SYMLINK = 0x32;
export const TYPE_CHARACTER_DEVICE = 0x33;
export const TYPE_BLOCK_DEVICE = 0x34;
export const TYPE_DIRECTORY = 0x35;
export const TYPE_FIFO = 0x36;

/** What {@linkcode readNumber} gives for text that is no number, or a negative or too large one. */
export const BAD_NUMBER = -1;

const SPACE = 0x20, DIGIT_0 = 0x30, DIGIT_7 = 0x37;

/**
 * A numeric field: octal digits with blanks around, or base-256 where the top bit is set (GNU). All blank is 0. Whatever follows the
 * NUL or space behind the digits is ignored, as version 7 writers leave anything there.
 */
export function readNumber(block: Uint8Array, at: number, length: number): number {
  if (block[at]! & 0x80) return readBase256(block, at, length);
  const end = at + length;
  while (at < end && (block[at] === SPACE || block[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const character = block[at]!;
    if (character === 0 || character === SPACE) break;
    if (character < DIGIT_0 || character > DIGIT_7) return BAD_NUMBER;
    value = value * 8 + character - DIGIT_0;
  }
  return value;
}

function readBase256(block: Uint8Array, at: number, length: number): number {
  if (block[at]! & 0x40) return BAD_NUMBER; // two's complement: negative
  let value = block[at]! & 0x3f;
  for (let i = 1; i < length; i++) {
    value = value * 256 + block[at + i]!;
    if (value > Number.MAX_SAFE_INTEGER) return BAD_NUMBER;
  }
  return value;
}

/** The sum of all header bytes, the checksum field counted as spaces. */
export function checksum(block: Uint8Array, at: number): number {
  let sum = CHECKSUM_BYTES * SPACE;
  const field = at + CHECKSUM, rest = field + CHECKSUM_BYTES, end = at + BLOCK;
  for (let i = at; i < field; i++) sum += block[i]!;
  for (let i = rest; i < end; i++) sum += block[i]!;
  return sum;
}

/** The same over signed bytes, which old writers summed by mistake. */
export function signedChecksum(block: Uint8Array, at: number): number {
  let sum = checksum(block, at);
  for (let i = at; i < at + BLOCK; i++) {
    if (block[i]! > 127 && (i < at + CHECKSUM || i >= at + CHECKSUM + CHECKSUM_BYTES)) sum -= 256;
  }
  return sum;
}

/** How many zero bytes stand at the front of block[at, end). */
export function countZeros(block: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && block[i] === 0) i++;
  return i - at;
}
