/** `TarStream` of @std/tar: entries in, archive bytes out. */
import { tarEnd, tarHeader, tarPadding } from "../../../lib/codec/tar_write.ts";

/** What a header may say besides name, kind and size; what is left out is 0, mode 0755 or 0644. */
export interface TarStreamOptions {
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds since 1970. */
  mtime?: number;
  uname?: string;
  gname?: string;
  /** Octal digits, as in @std/tar. */
  devmajor?: string;
  devminor?: string;
}

/** A file whose body has exactly `size` bytes. */
export interface TarStreamFile {
  type: "file";
  path: string;
  size: number;
  readable: ReadableStream<Uint8Array>;
  options?: TarStreamOptions;
}

/** A directory. */
export interface TarStreamDir {
  type: "directory";
  path: string;
  options?: TarStreamOptions;
}

/** One entry to be written. */
export type TarStreamInput = TarStreamFile | TarStreamDir;

/** @throws {TypeError} on an option that a header cannot hold */
export function assertValidTarStreamOptions(options: TarStreamOptions): void {
  for (const key of ["mode", "uid", "gid", "mtime"] as const) {
    const value = options[key];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
      throw new TypeError(`Cannot add to the tar archive: Invalid ${key} provided`);
    }
  }
  for (const key of ["devmajor", "devminor"] as const) {
    if (options[key] !== undefined && !/^[0-7]{1,8}$/.test(options[key])) {
      throw new TypeError(`Cannot add to the tar archive: Invalid ${key} provided`);
    }
  }
}

/** @throws {TypeError} on a path that a header cannot hold; any length will do, unlike in @std/tar */
export function assertValidPath(path: string): void {
  if (path === "" || path.includes("\0")) throw new TypeError("Cannot add to the tar archive: Invalid path provided");
}

async function* archive(entries: AsyncIterable<TarStreamInput>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const entry of entries) {
    yield header(entry);
    if (entry.type === "directory") continue;
    let written = 0;
    for await (const piece of entry.readable) {
      written += piece.length;
      if (written > entry.size) break;
      yield new Uint8Array(piece);
    }
    if (written !== entry.size) {
      throw new RangeError(`Cannot add to the tar archive: The size of "${entry.path}" is not ${entry.size} bytes`);
    }
    yield tarPadding(entry.size).slice();
  }
  yield tarEnd.slice();
}

function header(entry: TarStreamInput): Uint8Array<ArrayBuffer> {
  const options = entry.options ?? {};
  assertValidPath(entry.path);
  assertValidTarStreamOptions(options);
  if (entry.type === "file" && !(Number.isSafeInteger(entry.size) && entry.size >= 0)) {
    throw new RangeError(`Cannot add to the tar archive: The size of "${entry.path}" is ${entry.size}`);
  }
  const { mode, uid, gid, mtime, uname, gname, devmajor, devminor } = options;
  return tarHeader({
    name: entry.path,
    type: entry.type,
    mode: mode ?? (entry.type === "file" ? 0o644 : 0o755),
    uid: uid ?? 0,
    gid: gid ?? 0,
    size: entry.type === "file" ? entry.size : 0,
    mtime: mtime ?? 0,
    uname: uname ?? "",
    gname: gname ?? "",
    device: { major: parseInt(devmajor ?? "0", 8), minor: parseInt(devminor ?? "0", 8) },
  }, { format: "pax" });
}

/** Turns entries into an archive, to be put between streams with `pipeThrough`. */
export class TarStream implements TransformStream<TarStreamInput, Uint8Array<ArrayBuffer>> {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<TarStreamInput>;

  constructor() {
    const { readable, writable } = new TransformStream<TarStreamInput, TarStreamInput>();
    this.writable = writable;
    this.readable = ReadableStream.from(archive(readable));
  }
}
