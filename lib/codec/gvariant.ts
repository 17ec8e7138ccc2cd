/**
 * GVariant: the serialisation of ostree's metadata objects (GLib "GVariant Specification 1.0"). Little-endian, as GLib writes it on
 * the machines we run on; ostree's own big-endian integers are the caller's business.
 *
 * Values: boolean for b; number for y n q i u h d; bigint for x t; string for s o g; bytes for ay, otherwise an array for a; null or
 * the value for m; an array for tuples and dictionary entries; {@linkcode Variant} for v.
 */
import type { Bytes } from "../sys/libc.ts";
import { decodeValue } from "./gvariant_decode.ts";
import { Encoder } from "./gvariant_encode.ts";
import { parseType } from "./gvariant_type.ts";

/** What a GVariant can be in TypeScript; the type string says which. */
export type Value = boolean | number | bigint | string | Bytes | readonly Value[] | Variant | null;

/** A value that carries its own type ("v"). */
export class Variant {
  constructor(readonly type: string, readonly value: Value) {}
}

/**
 * Serialises in normal form, byte for byte as GLib does. x and t take numbers too.
 * @throws {SyntaxError} on a bad type string
 * @throws {TypeError} when the value has not the shape that the type asks for
 * @throws {RangeError} when a number does not fit, or a string holds a NUL
 */
export function encode(type: string, value: Value): Bytes {
  const encoder = new Encoder();
  encoder.put(parseType(type), value, 0);
  return encoder.bytes();
}

/**
 * Reads what {@linkcode encode} writes. ay values are views of `bytes`. Where GLib would read data that is not in normal form as some
 * default, this refuses: two readers must never see two trees behind one checksum.
 * @throws {SyntaxError} on a bad type string (the caller's; one inside the data is a RangeError)
 * @throws {RangeError} when the data is not in normal form, or nested deeper than 64 containers
 */
export function decode(type: string, bytes: Bytes): Value {
  return decodeValue(parseType(type), bytes, 0, bytes.length, 0);
}
