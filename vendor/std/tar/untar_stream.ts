/** `UntarStream` of @std/tar: archive bytes in, entries out. */
import { TarEntry, type TarSink, TarWalk } from "../../../lib/codec/tar.ts";
import { TYPE_FILE } from "../../../lib/codec/tar_fields.ts";

/** The header fields that every archive has. `size` is that of the body, numbers are whole. */
export interface OldStyleFormat {
  name: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  typeflag: string;
  linkname: string;
}

/** As in @std/tar; this reader fills in no more than {@linkcode OldStyleFormat} and has resolved the prefix into the name. */
export interface PosixUstarFormat extends OldStyleFormat {
  magic: string;
  version: string;
  uname: string;
  gname: string;
  devmajor: string;
  devminor: string;
  prefix: string;
}

/** One entry. The body of a file must be read to its end or cancelled before the next entry comes. */
export interface TarStreamEntry {
  path: string;
  header: OldStyleFormat | PosixUstarFormat;
  readable?: ReadableStream<Uint8Array<ArrayBuffer>>;
}

type Bytes = Uint8Array<ArrayBuffer>;
/** What the walk found: an entry, a piece of the body before, its end. */
type Found = { header: OldStyleFormat } | { piece: Bytes } | "end";

const decoder = new TextDecoder();

function headerOf(entry: TarEntry): OldStyleFormat {
  return {
    name: decoder.decode(entry.nameBuffer.subarray(entry.nameStart, entry.nameEnd)),
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    mtime: entry.mtime,
    typeflag: String.fromCharCode(entry.type),
    linkname: decoder.decode(entry.linkBuffer.subarray(entry.linkStart, entry.linkEnd)),
  };
}

/** Keeps what one fed piece brought; the pieces are copies, since the window is used again. */
class Collector implements TarSink {
  readonly found: Found[] = [];
  file(_window: Bytes, _body: number, entry: TarEntry): void {
    this.found.push({ header: headerOf(entry) }, "end"); // only empty files come whole
  }
  begin(entry: TarEntry): void {
    this.found.push({ header: headerOf(entry) });
  }
  data(piece: Bytes): void {
    this.found.push({ piece: piece.slice() });
  }
  end(): void {
    this.found.push("end");
  }
  other(entry: TarEntry): void {
    this.found.push({ header: headerOf(entry) });
  }
}

async function* walk(source: AsyncIterable<Uint8Array>): AsyncGenerator<Found> {
  const collector = new Collector();
  const tar = new TarWalk(collector, 0);
  let rest: Bytes = new Uint8Array(0);
  for await (const piece of source) {
    const window = new Uint8Array(rest.length + piece.length);
    window.set(rest);
    window.set(piece, rest.length);
    rest = window.subarray(tar.feed(window, 0, window.length));
    yield* collector.found.splice(0);
  }
  if (!tar.clean) throw new RangeError("Cannot extract the tar archive: It is cut short");
}

async function* entries(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarStreamEntry> {
  const found = walk(source);
  for (let next = await found.next(); !next.done; next = await found.next()) {
    const event = next.value;
    if (event === "end" || "piece" in event) continue; // of a body that was cancelled
    const { header } = event;
    if (header.typeflag.charCodeAt(0) !== TYPE_FILE) {
      yield { path: header.name, header };
      continue;
    }
    const body = readBody(found);
    yield { path: header.name, header, readable: body.readable };
    await body.done;
  }
}

function readBody(found: AsyncGenerator<Found>): { readable: ReadableStream<Bytes>; done: Promise<void> } {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  done.catch(() => {}); // the reader of the body gets the error too
  const readable = new ReadableStream<Bytes>({
    async pull(controller) {
      try {
        const next = await found.next();
        if (next.done || next.value === "end") {
          controller.close();
          resolve();
        } else if ("piece" in next.value) {
          controller.enqueue(next.value.piece);
        }
      } catch (error) {
        reject(error);
        throw error;
      }
    },
    async cancel() {
      for (let next = await found.next(); !next.done && next.value !== "end"; next = await found.next());
      resolve();
    },
  }, { highWaterMark: 0 });
  return { readable, done };
}

/** Turns an archive into entries, to be put between streams with `pipeThrough`. */
export class UntarStream implements TransformStream<Uint8Array, TarStreamEntry> {
  readonly readable: ReadableStream<TarStreamEntry>;
  readonly writable: WritableStream<Uint8Array>;

  constructor() {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.writable = writable;
    this.readable = ReadableStream.from(entries(readable));
  }
}
