/** Names of loose objects, and the one error when an object is not what its name says. */
import { UserError } from "../sys/errors.ts";
import type { Bytes } from "../sys/libc.ts";
import { HEX } from "./objects.ts";

/** @throws {UserError} unless the 32 bytes are equal */
export function requireChecksum(want: Bytes, actual: Bytes): void {
  for (let i = 0; i < 32; i++) {
    if (want[i] !== actual[i]) {
      throw new UserError(`Object ${want.toHex()} is corrupt: its checksum is ${actual.toHex()}`, {
        hint: "The image is damaged; build or push it again",
      });
    }
  }
}

const EXTENSION = {
  file: new TextEncoder().encode(".file\0"),
  dirtree: new TextEncoder().encode(".dirtree\0"),
  dirmeta: new TextEncoder().encode(".dirmeta\0"),
  commit: new TextEncoder().encode(".commit\0"),
} as const;

/** Writes `xx/yyy….TYPE` and a NUL into a reused buffer of 80 bytes. */
export function putLoosePath(target: Bytes, checksum: Bytes, type: keyof typeof EXTENSION): void {
  target[0] = HEX[2 * checksum[0]!]!;
  target[1] = HEX[2 * checksum[0]! + 1]!;
  target[2] = 0x2f;
  for (let i = 1, at = 3; i < 32; i++) {
    const digit = 2 * checksum[i]!;
    target[at++] = HEX[digit]!;
    target[at++] = HEX[digit + 1]!;
  }
  target.set(EXTENSION[type], 65);
}
