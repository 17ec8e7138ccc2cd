/** Writes tar headers: GNU (as ostree-native images have them) or POSIX ustar, with PAX records for what neither can say. */
import type { Bytes } from "../sys/libc.ts";
import { XATTR_PREFIX } from "./pax.ts";
import {
  BLOCK,
  CHECKSUM,
  checksum,
  DEVICE_MAJOR,
  DEVICE_MINOR,
  GID,
  GNAME,
  ID_BYTES,
  LINK,
  LINK_BYTES,
  LONG_BYTES,
  MAGIC,
  MODE,
  MTIME,
  NAME,
  NAME_BYTES,
  OWNER_BYTES,
  PREFIX,
  PREFIX_BYTES,
  SIZE,
  TYPE,
  UID,
  UNAME,
} from "./tar_fields.ts";

/** Kinds of entries and their typeflags. */
const FLAGS = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  characterDevice: "3",
  blockDevice: "4",
  directory: "5",
  fifo: "6",
} as const;

/** What an entry is. */
export type TarType = keyof typeof FLAGS;

/** What a header says; text is written as UTF-8, bytes as they are. */
export interface TarHeader {
  readonly name: string | Bytes;
  readonly type: TarType;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of the body behind the header; 0 when left out. */
  readonly size?: number;
  /** Seconds since 1970, no fraction; 0 when left out. */
  readonly mtime?: number;
  /** Target of a symlink or hardlink. */
  readonly link?: string | Bytes;
  /** Extended attributes, written in this order as `SCHILY.xattr` records; a name may not hold `=` ({@linkcode xattrKeyword}). */
  readonly xattrs?: readonly (readonly [name: string | Bytes, value: Bytes])[];
  readonly device?: { readonly major: number; readonly minor: number };
  readonly uname?: string;
  readonly gname?: string;
}

/** How a header is written. */
export interface TarHeaderOptions {
  /**
   * What long names and large numbers become: "gnu" (as when left out) L and K headers and base-256, "pax" records.
   * Xattrs are PAX records in both.
   */
  readonly format?: "gnu" | "pax";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const EQUALS = 0x3d, PERCENT = 0x25;
const [SPACE, EQUALS_SIGN, NEWLINE] = [" ", "=", "\n"].map((text) => encoder.encode(text)) as [Bytes, Bytes, Bytes];
const XATTR_KEY = encoder.encode(XATTR_PREFIX);
const ZEROS: Bytes = new Uint8Array(2 * BLOCK);

/** The two zero blocks that end an archive. A shared buffer: do not write to it. */
export const tarEnd: Bytes = ZEROS;

/** The zeros between a body of this size and the next header. A view of a shared buffer: do not write to it. */
export function tarPadding(size: number): Bytes {
  return ZEROS.subarray(0, (BLOCK - size % BLOCK) % BLOCK);
}

/**
 * The name of an extended attribute as GNU tar spells it in a record (its `xattr_encode_keyword`): `%3D` for an equals sign, which ends a
 * key, and `%25` for a percent sign.
 */
export function xattrKeyword(name: Bytes): Bytes {
  if (!name.includes(EQUALS) && !name.includes(PERCENT)) return name;
  const escaped: Readonly<Record<number, string>> = { [EQUALS]: "%3D", [PERCENT]: "%25" };
  return join([...name].map((byte) => escaped[byte] ? encoder.encode(escaped[byte]) : Uint8Array.of(byte)));
}

/**
 * The header blocks of one entry, extension headers in front. The same entry gives the same bytes.
 * @throws {RangeError} on an empty name, a NUL, or a number that the format cannot hold
 */
export function tarHeader(entry: TarHeader, options: TarHeaderOptions = {}): Bytes {
  const gnu = (options.format ?? "gnu") === "gnu";
  const name = text("name", entry.name), link = text("link", entry.link ?? "");
  if (name.length === 0) throw new RangeError("A tar entry needs a name");
  const blocks: Bytes[] = [];
  const records = new Records();
  const split = gnu ? undefined : splitName(name);
  if (gnu) {
    if (link.length > LINK_BYTES) blocks.push(...longText("K", link));
    if (name.length > NAME_BYTES) blocks.push(...longText("L", name));
  } else {
    if (split === undefined) records.add("path", name);
    if (link.length > LINK_BYTES) records.add("linkpath", link);
    for (const [key, bytes] of [["uid", ID_BYTES], ["gid", ID_BYTES], ["size", LONG_BYTES]] as const) {
      const value = entry[key] ?? 0;
      if (!fits(value, bytes)) records.add(key, encoder.encode(String(value)));
    }
  }
  for (const [key, value] of entry.xattrs ?? []) records.add(join([XATTR_KEY, text("attribute", key)]), value);
  // PAX first, long names behind, as the reference writes them.
  if (!records.empty) blocks.unshift(...extension("x", records.bytes(), gnu));
  blocks.push(block(entry, { gnu, name, link, split }));
  return join(blocks);
}

/** PAX records in the making. */
class Records {
  readonly #parts: Bytes[] = [];
  get empty(): boolean {
    return this.#parts.length === 0;
  }
  add(key: string | Bytes, value: Bytes): void {
    const bytes = text("PAX key", key);
    if (bytes.includes(EQUALS)) {
      throw new RangeError(`${JSON.stringify(decoder.decode(bytes))} cannot be the key of a PAX record`);
    }
    const body = join([SPACE, bytes, EQUALS_SIGN, value, NEWLINE]);
    let length = body.length + 1; // the length counts its own digits
    while (String(length).length + body.length !== length) length = String(length).length + body.length;
    this.#parts.push(encoder.encode(String(length)), body);
  }
  bytes(): Bytes {
    return join(this.#parts);
  }
}

/** A pseudo entry and its padded body. */
function extension(flag: "x" | "L" | "K", body: Bytes, gnu: boolean): Bytes[] {
  const name = flag === "x" ? "././@PaxHeader" : "././@LongLink";
  const header = new Uint8Array(BLOCK);
  fill(header, { name: encoder.encode(name), flag, mode: 0o644, uid: 0, gid: 0, size: body.length, mtime: 0, gnu });
  return [finish(header), body, tarPadding(body.length)];
}

function longText(flag: "L" | "K", value: Bytes): Bytes[] {
  return extension(flag, join([value, new Uint8Array(1)]), true);
}

interface BlockParts {
  readonly gnu: boolean;
  readonly name: Bytes;
  readonly link: Bytes;
  readonly split: { prefix: Bytes; name: Bytes } | undefined;
}

function block(entry: TarHeader, parts: BlockParts): Bytes {
  const header = new Uint8Array(BLOCK);
  const bounded = (value: number, bytes: number) => parts.gnu || fits(value, bytes) ? value : 0;
  fill(header, {
    name: (parts.split?.name ?? parts.name).subarray(0, NAME_BYTES),
    flag: FLAGS[entry.type],
    mode: entry.mode,
    uid: bounded(entry.uid, ID_BYTES),
    gid: bounded(entry.gid, ID_BYTES),
    size: bounded(entry.size ?? 0, LONG_BYTES),
    mtime: entry.mtime ?? 0,
    gnu: parts.gnu,
  });
  header.set(parts.link.subarray(0, LINK_BYTES), LINK);
  if (parts.split !== undefined) header.set(parts.split.prefix, PREFIX);
  header.set(encoder.encode(entry.uname ?? "").subarray(0, OWNER_BYTES - 1), UNAME);
  header.set(encoder.encode(entry.gname ?? "").subarray(0, OWNER_BYTES - 1), GNAME);
  if (entry.device !== undefined) {
    writeNumber(header, DEVICE_MAJOR, ID_BYTES, entry.device.major);
    writeNumber(header, DEVICE_MINOR, ID_BYTES, entry.device.minor);
  }
  return finish(header);
}

interface Fields {
  readonly name: Bytes;
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly gnu: boolean;
}

function fill(header: Bytes, fields: Fields): void {
  header.set(fields.name, NAME);
  header[TYPE] = fields.flag.charCodeAt(0);
  writeNumber(header, MODE, ID_BYTES, fields.mode);
  writeNumber(header, UID, ID_BYTES, fields.uid);
  writeNumber(header, GID, ID_BYTES, fields.gid);
  writeNumber(header, SIZE, LONG_BYTES, fields.size);
  writeNumber(header, MTIME, LONG_BYTES, fields.mtime);
  header.set(encoder.encode(fields.gnu ? "ustar  \0" : "ustar\u000000"), MAGIC);
}

function finish(header: Bytes): Bytes {
  header.set(encoder.encode(checksum(header, 0).toString(8).padStart(6, "0") + "\0 "), CHECKSUM);
  return header;
}

/** Whether octal digits and a NUL have room in the field. */
function fits(value: number, bytes: number): boolean {
  return value < 8 ** (bytes - 1);
}

function writeNumber(header: Bytes, at: number, bytes: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`A tar header cannot hold the number ${value}`);
  if (fits(value, bytes)) {
    header.set(encoder.encode(value.toString(8).padStart(bytes - 1, "0")), at);
    return;
  }
  for (let i = at + bytes - 1; i > at; i--) {
    header[i] = value % 256;
    value = Math.floor(value / 256);
  }
  header[at] = 0x80;
}

/** A ustar name in its two fields, or undefined where no slash cuts it so that both fit. */
function splitName(name: Bytes): { prefix: Bytes; name: Bytes } | undefined {
  if (name.length <= NAME_BYTES) return { prefix: name.subarray(0, 0), name };
  for (let at = Math.min(PREFIX_BYTES, name.length - 2); at >= name.length - NAME_BYTES - 1 && at > 0; at--) {
    if (name[at] === 0x2f) return { prefix: name.subarray(0, at), name: name.subarray(at + 1) };
  }
  return undefined;
}

function text(field: string, value: string | Bytes): Bytes {
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  if (bytes.includes(0)) throw new RangeError(`A tar entry's ${field} cannot hold a NUL`);
  return bytes;
}

function join(parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
