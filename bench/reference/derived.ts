/** A derived layer the reference's way: its tar is read, filtered, written anew and piped into `ostree commit --tree=tar`. */
import { TarEntry, type TarSink } from "../../lib/codec/tar.ts";
import { TYPE_DIRECTORY, TYPE_FILE, TYPE_HARDLINK, TYPE_SYMLINK } from "../../lib/codec/tar_fields.ts";
import { tarEnd, tarHeader, tarPadding, type TarType } from "../../lib/codec/tar_write.ts";
import { AT_FDCWD, type Bytes, close, cstr, O_WRONLY, openat, setPipeSize, writeAll } from "../../lib/sys/libc.ts";

const decoder = new TextDecoder();
const TYPES: ReadonlyMap<number, TarType> = new Map([
  [TYPE_FILE, "file"],
  [TYPE_HARDLINK, "hardlink"],
  [TYPE_SYMLINK, "symlink"],
  [TYPE_DIRECTORY, "directory"],
]);
/** Written in pieces of this size, or the pipe would cost more than the filter. */
const BUFFER_BYTES = 256 * 1024;

/** Where a path goes in an ostree tree; undefined where it is dropped. */
export function filterName(name: string): string | undefined {
  const path = name.replace(/^(\.?\/)+/, "");
  if (path === "usr" || path.startsWith("usr/")) return path;
  if (path === "etc" || path.startsWith("etc/")) return `usr/${path}`;
  if (path.startsWith("var/")) return `usr/share/factory/${path}`;
  return undefined;
}

/** Takes a layer's entries and writes the filtered archive to a descriptor. */
export class FilteringSink implements TarSink {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #used = 0;
  #skipping = false;
  #size = 0;

  /** `path` is a FIFO whose reader is there or comes. */
  constructor(path: string) {
    this.#fd = openat(AT_FDCWD, cstr(path), O_WRONLY);
    setPipeSize(this.#fd, 1 << 20);
  }

  #flush(): void {
    writeAll(this.#fd, this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #put(bytes: Bytes): void {
    if (this.#used + bytes.length > BUFFER_BYTES) this.#flush();
    if (bytes.length > BUFFER_BYTES) writeAll(this.#fd, bytes);
    else {
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
  }

  /** Writes the header unless the entry is dropped. */
  #header(entry: TarEntry): boolean {
    const name = filterName(decoder.decode(entry.nameBuffer.subarray(entry.nameStart, entry.nameEnd)));
    const type = TYPES.get(entry.type);
    if (name === undefined || type === undefined) return false;
    const { mode, uid, gid, size } = entry;
    const link = decoder.decode(entry.linkBuffer.subarray(entry.linkStart, entry.linkEnd));
    const target = type === "hardlink" ? filterName(link) : type === "symlink" ? link : undefined;
    this.#put(tarHeader({ name, type, mode, uid, gid, size, ...(target === undefined ? {} : { link: target }) }));
    return true;
  }

  file(window: Bytes, body: number, entry: TarEntry): void {
    if (!this.#header(entry)) return;
    this.#put(window.subarray(body, body + entry.size));
    this.#put(tarPadding(entry.size));
  }

  begin(entry: TarEntry): void {
    this.#size = entry.size;
    this.#skipping = !this.#header(entry);
  }

  data(piece: Bytes): void {
    if (!this.#skipping) this.#put(piece);
  }

  end(): void {
    if (!this.#skipping) this.#put(tarPadding(this.#size));
  }

  other(entry: TarEntry): void {
    this.#header(entry);
  }

  /** Ends the archive; its reader comes to the end of the file. */
  finish(): void {
    this.#put(tarEnd);
    this.#flush();
    close(this.#fd);
  }
}
