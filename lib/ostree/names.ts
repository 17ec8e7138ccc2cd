/** libostree ends the process when it is handed a malformed checksum or ref (`g_assert`), so names are checked before the boundary. */
import { type Bytes, cstr } from "../sys/libc.ts";

const CHECKSUM = /^[0-9a-f]{64}$/;
/** ostree-core.c: OSTREE_REF_REGEXP */
const REF = /^\w[-.\w]*(?:\/\w[-.\w]*)*$/;

/** Whether a text is the checksum of an ostree object. */
export function isChecksum(text: string): boolean {
  return CHECKSUM.test(text);
}

/** A checksum as C wants it. @throws {SyntaxError} unless it is 64 lower-case hexadecimal digits */
export function checksumArgument(checksum: string): Bytes {
  if (!isChecksum(checksum)) throw new SyntaxError(`"${checksum}" is no checksum of an ostree object`);
  return cstr(checksum);
}

/** A ref's name as C wants it. @throws {SyntaxError} when ostree would not take it */
export function refArgument(ref: string): Bytes {
  if (!REF.test(ref)) throw new SyntaxError(`"${ref}" is no valid ostree ref`);
  return cstr(ref);
}

/** A stateroot's name as C wants it: it becomes a directory. @throws {SyntaxError} when it cannot be one */
export function staterootArgument(name: string): Bytes {
  if (!/^\w[-.\w]*$/.test(name)) throw new SyntaxError(`"${name}" is no name for a stateroot`);
  return cstr(name);
}
