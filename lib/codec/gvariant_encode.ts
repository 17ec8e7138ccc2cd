/** The writing half of GVariant. */
import type { Bytes } from "../sys/libc.ts";
import { type Value, Variant } from "./gvariant.ts";
import { alignUp, offsetSizeFor, parseType, type Type, validString } from "./gvariant_type.ts";

const encoder = new TextEncoder();
/** Against a value that contains itself. */
const MAX_DEPTH = 64;

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  y: [0n, 0xffn],
  n: [-0x8000n, 0x7fffn],
  q: [0n, 0xffffn],
  i: [-0x80000000n, 0x7fffffffn],
  u: [0n, 0xffffffffn],
  h: [-0x80000000n, 0x7fffffffn],
  x: [-(1n << 63n), (1n << 63n) - 1n],
  t: [0n, (1n << 64n) - 1n],
};

/** Grows as it is written to; positions are aligned to the start, where the outermost value begins. */
export class Encoder {
  #buffer: Bytes = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  /** A copy of what was written. */
  bytes(): Bytes {
    return this.#buffer.slice(0, this.#length);
  }

  /** Appends one value. @throws {TypeError} @throws {RangeError} */
  put(type: Type, value: Value, depth: number): void {
    if (depth > MAX_DEPTH) throw new RangeError(`A GVariant is nested deeper than ${MAX_DEPTH} containers`);
    this.#align(type.alignment);
    switch (type.kind) {
      case "b":
        if (typeof value !== "boolean") wrong(type, value);
        return this.#raw(type, value ? 1n : 0n);
      case "d":
        if (typeof value !== "number") wrong(type, value);
        this.#reserve(8);
        this.#view.setFloat64(this.#length, value, true);
        this.#length += 8;
        return;
      case "s":
      case "o":
      case "g":
        return this.#text(type, value);
      case "v":
        if (!(value instanceof Variant)) wrong(type, value);
        this.put(parseType(value.type), value.value, depth + 1);
        this.#append(new Uint8Array(1));
        return this.#append(encoder.encode(value.type));
      case "m":
        return this.#maybe(type, value, depth);
      case "a":
        return this.#array(type, value, depth);
      case "(":
        return this.#tuple(type, value, depth);
      default:
        return this.#integer(type, value);
    }
  }

  #integer(type: Type, value: Value): void {
    const whole = typeof value === "bigint" || Number.isInteger(value);
    if (!whole) wrong(type, value);
    const n = BigInt(value as number | bigint);
    const [low, high] = RANGES[type.kind]!;
    if (n < low || n > high) throw new RangeError(`${n} is out of range for GVariant type "${type.text}"`);
    this.#raw(type, n);
  }

  #raw(type: Type, value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += type.size;
  }

  #text(type: Type, value: Value): void {
    if (typeof value !== "string") wrong(type, value);
    if (value.includes("\0") || !value.isWellFormed()) {
      throw new RangeError(`A GVariant string cannot hold ${JSON.stringify(value)}`);
    }
    if (!validString(type.kind, value)) {
      throw new RangeError(`${JSON.stringify(value)} is no value for GVariant type "${type.text}"`);
    }
    this.#append(encoder.encode(value + "\0"));
  }

  #maybe(type: Type, value: Value, depth: number): void {
    if (value === null) return;
    const element = type.parts[0]!;
    this.put(element, value, depth + 1);
    if (element.size === 0) this.#append(new Uint8Array(1));
  }

  #array(type: Type, value: Value, depth: number): void {
    const element = type.parts[0]!;
    if (value instanceof Uint8Array) {
      if (element.kind !== "y") wrong(type, value);
      return this.#append(value);
    }
    if (!Array.isArray(value)) wrong(type, value);
    const start = this.#length;
    const ends: number[] = [];
    for (const item of value as readonly Value[]) {
      this.put(element, item, depth + 1);
      ends.push(this.#length - start);
    }
    if (element.size === 0) this.#offsets(start, ends);
  }

  #tuple(type: Type, value: Value, depth: number): void {
    if (!Array.isArray(value) || value.length !== type.parts.length) wrong(type, value);
    const start = this.#length;
    const ends: number[] = [];
    const last = type.parts.length - 1;
    for (const [i, part] of type.parts.entries()) {
      this.put(part, (value as readonly Value[])[i]!, depth + 1);
      if (part.size === 0 && i < last) ends.push(this.#length - start);
    }
    if (type.size > 0) return this.#append(new Uint8Array(start + type.size - this.#length));
    this.#offsets(start, ends.reverse());
  }

  #offsets(start: number, ends: readonly number[]): void {
    const size = offsetSizeFor(this.#length - start, ends.length);
    this.#reserve(ends.length * size + 8);
    for (const end of ends) {
      this.#view.setBigUint64(this.#length, BigInt(end), true);
      this.#length += size;
    }
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #align(alignment: number): void {
    const to = alignUp(this.#length, alignment);
    this.#reserve(to - this.#length);
    this.#buffer.fill(0, this.#length, to); // a wide integer write may have left bytes here
    this.#length = to;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + bytes));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function wrong(type: Type, value: Value): never {
  const kind = value === null
    ? "null"
    : value instanceof Uint8Array
    ? "bytes"
    : Array.isArray(value)
    ? `an array of ${value.length}`
    : `a ${typeof value}`;
  throw new TypeError(`GVariant type "${type.text}" cannot be made from ${kind}`);
}
