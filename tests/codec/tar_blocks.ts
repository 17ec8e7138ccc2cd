/** Raw tar blocks for tests: headers with any field changed, extension headers with any body. */
import { type TarHeader, tarHeader, tarPadding } from "../../lib/codec/tar_write.ts";
import type { Bytes } from "../../lib/sys/libc.ts";
import { concat } from "../image.ts";

/** UTF-8 of a text. */
export const text = (value: string): Bytes => new TextEncoder().encode(value);
/** What most entries have. */
export const plain = { mode: 0o644, uid: 0, gid: 0 } as const;

/** A header, changed and summed again. */
export function block(entry: Partial<TarHeader>, change: (header: Bytes) => void = () => {}, signed = false): Bytes {
  const header = tarHeader({ name: "name", type: "file", ...plain, ...entry });
  change(header);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + (signed && byte > 127 ? byte - 256 : byte), 0);
  header.set(text(sum.toString(8).padStart(6, "0") + "\0 "), 148);
  return header;
}

/** Writes ASCII over a header's field. */
export const set = (at: number, value: string) => (header: Bytes) => header.set(text(value), at);
/** Changes the typeflag. */
export const flag = (type: string) => set(156, type);

/** A raw extension header and its body. */
export function extension(type: string, body: Bytes): Bytes {
  return concat([block({ name: "ext", size: body.length }, flag(type)), body, tarPadding(body.length)]);
}

/** A PAX record with a right length. */
export function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return length + rest;
}
/** A PAX header of records. */
export const pax = (...records: [key: string, value: string][]) => {
  return extension(
    "x",
    Uint8Array.from(records.map(([key, value]) => record(key, value)).join(""), (c) => c.charCodeAt(0)),
  );
};
