/** The reading half of GVariant: whatever is not exactly what the writer would have written is refused. */
import type { Bytes } from "../sys/libc.ts";
import { type Value, Variant } from "./gvariant.ts";
import { alignUp, offsetSize, offsetSizeFor, parseType, type Type, validString } from "./gvariant_type.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Variants inside variants: hostile data must not reach the end of our stack. */
const MAX_DEPTH = 64;

function malformed(type: Type, why: string): never {
  throw new RangeError(`GVariant data of type "${type.text}" is malformed: ${why}`);
}

/**
 * Reads the value in bytes[start, end). Alignment counts from byte 0, so `start` must be aligned for the type; it is where the caller
 * itself is an aligned container. @throws {RangeError}
 */
export function decodeValue(type: Type, bytes: Bytes, start: number, end: number, depth: number): Value {
  if (depth > MAX_DEPTH) malformed(type, `nested deeper than ${MAX_DEPTH} containers`);
  if (type.size > 0 && end - start !== type.size) malformed(type, `${end - start} bytes instead of ${type.size}`);
  switch (type.kind) {
    case "s":
    case "o":
    case "g":
      return text(type, bytes, start, end);
    case "v":
      return variant(type, bytes, start, end, depth);
    case "m":
      return maybe(type, bytes, start, end, depth);
    case "a":
      return array(type, bytes, start, end, depth);
    case "(":
      return tuple(type, bytes, start, end, depth);
    default:
      return fixed(type, bytes, start);
  }
}

function fixed(type: Type, bytes: Bytes, at: number): boolean | number | bigint {
  if (type.kind === "y") return bytes[at]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, type.size);
  switch (type.kind) {
    case "b":
      if (bytes[at]! > 1) malformed(type, `${bytes[at]} is no boolean`);
      return bytes[at] === 1;
    case "n":
      return view.getInt16(0, true);
    case "q":
      return view.getUint16(0, true);
    case "i":
    case "h":
      return view.getInt32(0, true);
    case "u":
      return view.getUint32(0, true);
    case "x":
      return view.getBigInt64(0, true);
    case "t":
      return view.getBigUint64(0, true);
    default:
      return view.getFloat64(0, true);
  }
}

function text(type: Type, bytes: Bytes, start: number, end: number): string {
  if (end === start || bytes[end - 1] !== 0) malformed(type, "a string has no NUL behind it");
  const body = bytes.subarray(start, end - 1);
  if (body.includes(0)) malformed(type, "a string has a NUL inside");
  let value: string;
  try {
    value = decoder.decode(body);
  } catch {
    return malformed(type, "a string is not UTF-8");
  }
  if (!validString(type.kind, value)) malformed(type, `bad value ${JSON.stringify(value)}`);
  return value;
}

function variant(type: Type, bytes: Bytes, start: number, end: number, depth: number): Variant {
  let separator = end - 1;
  while (separator >= start && bytes[separator] !== 0) separator--;
  if (separator < start) malformed(type, "a variant names no type");
  let inner: Type;
  try {
    // Type strings are ASCII; anything else fails in the parser.
    inner = parseType(String.fromCharCode(...bytes.subarray(separator + 1, Math.min(end, separator + 300))));
  } catch (error) {
    if (error instanceof SyntaxError) malformed(type, "a variant names no valid type");
    throw error;
  }
  return new Variant(inner.text, decodeValue(inner, bytes, start, separator, depth + 1));
}

function maybe(type: Type, bytes: Bytes, start: number, end: number, depth: number): Value {
  if (end === start) return null;
  const element = type.parts[0]!;
  if (element.size > 0) return decodeValue(element, bytes, start, end, depth + 1);
  if (bytes[end - 1] !== 0) malformed(type, "a maybe has no zero byte behind it");
  return decodeValue(element, bytes, start, end - 1, depth + 1);
}

function array(type: Type, bytes: Bytes, start: number, end: number, depth: number): Value {
  const element = type.parts[0]!;
  if (element.kind === "y") return bytes.subarray(start, end);
  const out: Value[] = [];
  if (end === start) return out;
  if (element.size > 0) {
    if ((end - start) % element.size !== 0) malformed(type, "its size is no multiple of the element's");
    for (let at = start; at < end; at += element.size) {
      out.push(decodeValue(element, bytes, at, at + element.size, depth + 1));
    }
    return out;
  }
  const size = offsetSize(end - start);
  const bodyEnd = readOffset(bytes, end - size, size);
  const table = start + bodyEnd;
  const count = (end - table) / size;
  if (!(bodyEnd < end - start) || !Number.isInteger(count)) malformed(type, "bad offset table");
  if (offsetSizeFor(bodyEnd, count) !== size) malformed(type, "its offsets are wider than needed");
  let position = start;
  for (let at = table; at < end; at += size) {
    const from = skipPadding(type, bytes, position, element.alignment, table);
    const to = start + readOffset(bytes, at, size);
    if (to < from || to > table) malformed(type, "an offset points outside");
    out.push(decodeValue(element, bytes, from, to, depth + 1));
    position = to;
  }
  return out;
}

function tuple(type: Type, bytes: Bytes, start: number, end: number, depth: number): Value[] {
  const out: Value[] = [];
  const size = offsetSize(end - start);
  const last = type.parts.length - 1;
  let table = end; // the offsets lie at the end, the first part's last
  let offsets = 0;
  for (const [i, part] of type.parts.entries()) {
    if (part.size === 0 && i < last) offsets++;
  }
  const bodyEnd = end - offsets * size;
  if (bodyEnd < start) malformed(type, "too short for its offsets");
  let position = start;
  for (const [i, part] of type.parts.entries()) {
    const from = skipPadding(type, bytes, position, part.alignment, bodyEnd);
    let to = bodyEnd;
    if (part.size > 0) to = from + part.size;
    else if (i < last) to = start + readOffset(bytes, table -= size, size);
    if (to < from || to > bodyEnd) malformed(type, "a part reaches outside");
    out.push(decodeValue(part, bytes, from, to, depth + 1));
    position = to;
  }
  if (type.size > 0) position = skipPadding(type, bytes, position, type.parts.length === 0 ? 1 : type.alignment, end);
  if (type.parts.length === 0) {
    if (bytes[start] !== 0) malformed(type, "an empty tuple is not zero");
    return out;
  }
  if (position !== bodyEnd) malformed(type, "bytes after the last part");
  if (offsets > 0 && offsetSizeFor(bodyEnd - start, offsets) !== size) {
    malformed(type, "its offsets are wider than needed");
  }
  return out;
}

/** The next aligned position; what lies between must be zero. */
function skipPadding(type: Type, bytes: Bytes, position: number, alignment: number, limit: number): number {
  const to = alignUp(position, alignment);
  if (to > limit) {
    // An empty last part needs no padding before it, but has it; a table may not begin inside.
    malformed(type, "too short");
  }
  for (let at = position; at < to; at++) {
    if (bytes[at] !== 0) malformed(type, "padding is not zero");
  }
  return to;
}

function readOffset(bytes: Bytes, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
