/**
 * A push parser for tar: it is handed windows of bytes and calls a sink for each entry, synchronously, with no promise, string or
 * object an entry. Reads POSIX ustar and PAX, GNU (long names, base-256 numbers) and version 7 archives.
 *
 * Rules that formats leave open follow GNU tar and Go's archive/tar, so that an image means here what it means to its builder:
 * links, devices, directories and fifos have no body whatever their size field says, and a file whose name ends in "/" is a
 * directory. Sparse files and vendor types are refused.
 */
import { UserError } from "../sys/errors.ts";
import type { Bytes } from "../sys/libc.ts";
import { paxNumber } from "./pax.ts";
import { isExtension, TarExtensions } from "./tar_extensions.ts";
import {
  BAD_NUMBER,
  BLOCK,
  CHECKSUM,
  checksum,
  CHECKSUM_BYTES,
  countZeros,
  GID,
  ID_BYTES,
  LINK,
  LINK_BYTES,
  LONG_BYTES,
  MAGIC,
  MODE,
  MTIME,
  NAME,
  NAME_BYTES,
  PREFIX,
  PREFIX_BYTES,
  readNumber,
  signedChecksum,
  SIZE,
  TYPE,
  TYPE_DIRECTORY,
  TYPE_FIFO,
  TYPE_FILE,
  TYPE_HARDLINK,
  UID,
} from "./tar_fields.ts";

const SPARSE = "it is stored as a sparse file";
const GNU_SPARSE = 0x53, SLASH = 0x2f, LETTER_A = 0x41, LETTER_Z = 0x5a;
/** uid -1 means "leave it" to chown. */
const MAX_ID = 0xfffffffe;
const NOTHING: Bytes = new Uint8Array(0);
const decoder = new TextDecoder();

/** One entry. The walk reuses the object and its buffers: what is needed after the sink's call must be copied. */
export class TarEntry {
  /** The typeflag's character code, one of TYPE_FILE to TYPE_FIFO of tar_fields.ts: "0" for every kind of regular file. */
  type = TYPE_FILE;
  /** Permission bits, 0 to 0o7777. */
  mode = 0;
  uid = 0;
  gid = 0;
  /** Bytes of a regular file's body, 0 for all else. */
  size = 0;
  /** Seconds since 1970; 0 where the header has none that can be read. PAX times are not looked at. */
  mtime = 0;
  /** The name as the archive has it ("./a", "/a", "a/../b" are possible) is nameBuffer[nameStart, nameEnd), never empty. */
  nameBuffer: Bytes = NOTHING;
  nameStart = 0;
  nameEnd = 0;
  /** The target of a symlink or hardlink, empty for all else. */
  linkBuffer: Bytes = NOTHING;
  linkStart = 0;
  linkEnd = 0;
  /** PAX records that apply, times left out; xattrs are `SCHILY.xattr.NAME`. Undefined where there are none. */
  pax: ReadonlyMap<string, Bytes> | undefined = undefined;
}

/** What a {@linkcode TarWalk} calls. A call may throw: the walk is then of no more use. */
export interface TarSink {
  /** A regular file of at most `inlineBytes`; the whole body is window[body, body + entry.size). */
  file(window: Bytes, body: number, entry: TarEntry): void;
  /** A larger regular file begins, ... */
  begin(entry: TarEntry): void;
  /** ... its body comes in pieces, views of the window, ... */
  data(piece: Bytes): void;
  /** ... and is complete. */
  end(entry: TarEntry): void;
  /** Directory, link, device or fifo. */
  other(entry: TarEntry): void;
}

/** One archive's way through the parser. */
export class TarWalk {
  readonly #sink: TarSink;
  readonly #inlineBytes: number;
  readonly #entry = new TarEntry();
  readonly #extensions = new TarExtensions();
  /** The last name that was read, for entries and for messages. */
  readonly #name: Bytes = new Uint8Array(PREFIX_BYTES + 1 + NAME_BYTES);
  readonly #link: Bytes = new Uint8Array(LINK_BYTES);
  #entries = 0;
  /** The entry's name is read, but the entry not yet handed over. */
  #reading = false;
  /** Archive offset minus window position. */
  #origin = 0;
  #offset = 0;
  #offered = 0;
  /** Body bytes still to hand on, and bytes to skip behind them. */
  #bodyLeft = 0;
  #skip = 0;
  #streaming = false;
  /** Zero bytes seen since the end mark began. */
  #zeros = 0;

  /** Bodies of up to `inlineBytes` are handed over whole, so a window must be able to hold that many and 1,024 more. */
  constructor(sink: TarSink, inlineBytes: number) {
    this.#sink = sink;
    this.#inlineBytes = inlineBytes;
  }

  /** Entries handed to the sink so far. */
  get entries(): number {
    return this.#entries;
  }

  /** The end mark, two zero blocks, was read; more zeros may follow. */
  get ended(): boolean {
    return this.#zeros >= 2 * BLOCK;
  }

  /** The archive may stop here: after its end mark (one zero block will do, as for GNU tar), with nothing left over. */
  get clean(): boolean {
    return (this.ended || this.#zeros === BLOCK) && this.#offset === this.#offered;
  }

  /**
   * Takes bytes from window[start, end) and gives the position it came to. The rest must be offered again with more behind it.
   * @throws {SyntaxError} with the offset in the archive and the entry before, where it is malformed
   * @throws {UserError} on a sparse file or vendor type
   */
  feed(window: Bytes, start: number, end: number): number {
    this.#origin = this.#offset - start;
    const position = this.#walk(window, start, end);
    this.#offset = this.#origin + position;
    this.#offered = this.#origin + end;
    return position;
  }

  #walk(window: Bytes, position: number, end: number): number {
    for (;;) {
      if (this.#streaming) {
        position = this.#body(window, position, end);
        if (this.#streaming) return position;
      }
      if (this.#skip > 0) {
        const n = Math.min(this.#skip, end - position);
        position += n;
        this.#skip -= n;
        if (this.#skip > 0) return position;
      }
      if (this.#extensions.missing > 0) {
        position = this.#extensionBody(window, position, end);
        if (this.#extensions.missing > 0) return position;
        continue;
      }
      if (this.#zeros > 0) return this.#padding(window, position, end);
      if (end - position < BLOCK) return position;
      if (window[position] === 0 && countZeros(window, position, position + BLOCK) === BLOCK) {
        if (this.#extensions.any) this.#fail("Extended header without an entry behind it", position);
        this.#zeros = BLOCK;
        position += BLOCK;
        continue;
      }
      const next = this.#header(window, position, end);
      if (next < 0) return position;
      position = next;
    }
  }

  /** Handles the header at `position`; the position after it (and an inline body), or -1 where more bytes are needed first. */
  #header(window: Bytes, position: number, end: number): number {
    const sum = readNumber(window, position + CHECKSUM, CHECKSUM_BYTES);
    if (sum !== checksum(window, position) && sum !== signedChecksum(window, position)) {
      this.#fail("Wrong header checksum", position);
    }
    const flag = window[position + TYPE]!;
    let size = this.#number(window, position, SIZE, LONG_BYTES, "size");
    if (isExtension(flag)) {
      this.#located(position, () => this.#extensions.begin(flag, size));
      return position + BLOCK;
    }
    const pax = this.#extensions.pax;
    if (pax !== undefined && pax.has("size")) size = this.#paxNumber(pax, "size", position);
    const regular = flag < TYPE_HARDLINK || flag > TYPE_FIFO;
    const inline = regular && size <= this.#inlineBytes;
    if (inline && end - position < BLOCK + size) return -1;
    this.#readEntry(window, position, pax);
    this.#entry.type = this.#entryType(flag, position);
    this.#entry.size = this.#entry.type === TYPE_FILE ? size : 0;
    this.#entries++;
    this.#reading = false;
    const next = this.#deliver(window, position + BLOCK, inline, regular ? size : 0);
    // A streamed entry keeps its records until its end.
    if (!this.#streaming) this.#extensions.forget();
    return next;
  }

  #deliver(window: Bytes, position: number, inline: boolean, bodyBytes: number): number {
    const padding = (BLOCK - bodyBytes % BLOCK) % BLOCK;
    if (this.#entry.type !== TYPE_FILE) {
      this.#sink.other(this.#entry);
      this.#skip = bodyBytes + padding;
      return position;
    }
    this.#skip = padding;
    if (inline) {
      this.#sink.file(window, position, this.#entry);
      return position + bodyBytes;
    }
    this.#bodyLeft = bodyBytes;
    this.#streaming = true;
    this.#sink.begin(this.#entry);
    return position;
  }

  #body(window: Bytes, position: number, end: number): number {
    const n = Math.min(this.#bodyLeft, end - position);
    if (n > 0) {
      this.#sink.data(window.subarray(position, position + n));
      this.#bodyLeft -= n;
    }
    if (this.#bodyLeft === 0) {
      this.#streaming = false;
      this.#sink.end(this.#entry);
      this.#extensions.forget();
    }
    return position + n;
  }

  #padding(window: Bytes, position: number, end: number): number {
    const zeros = countZeros(window, position, end);
    if (zeros < end - position) {
      this.#fail("Bytes after the end of the archive", position + zeros);
    }
    this.#zeros += zeros;
    return end;
  }

  #readEntry(window: Bytes, position: number, pax: ReadonlyMap<string, Bytes> | undefined): void {
    const entry = this.#entry;
    this.#reading = false;
    this.#readName(window, position, pax?.get("path") ?? this.#extensions.name);
    this.#reading = true;
    entry.mode = this.#number(window, position, MODE, ID_BYTES, "mode") & 0o7777;
    entry.uid = this.#id(window, position, UID, "uid", pax);
    entry.gid = this.#id(window, position, GID, "gid", pax);
    const mtime = readNumber(window, position + MTIME, LONG_BYTES);
    entry.mtime = mtime === BAD_NUMBER ? 0 : mtime;
    entry.pax = pax;
    this.#readLink(window, position, pax?.get("linkpath") ?? this.#extensions.link);
  }

  #readName(window: Bytes, position: number, long: Bytes | undefined): void {
    const entry = this.#entry;
    entry.nameStart = 0;
    if (long !== undefined) {
      if (long.includes(0)) this.#fail("Name with a NUL inside", position);
      entry.nameBuffer = long;
      entry.nameEnd = long.length;
      return;
    }
    const name = this.#name;
    let length = 0;
    // "ustar\0" is POSIX; GNU's own magic "ustar  " has times where the prefix would be.
    if (window[position + PREFIX] !== 0 && isUstar(window, position)) {
      length = copyText(window, position + PREFIX, PREFIX_BYTES, name, 0);
      name[length++] = SLASH;
    }
    length = copyText(window, position + NAME, NAME_BYTES, name, length);
    if (length === 0) this.#fail("Entry without a name", position);
    entry.nameBuffer = name;
    entry.nameEnd = length;
  }

  #readLink(window: Bytes, position: number, long: Bytes | undefined): void {
    const entry = this.#entry;
    const flag = window[position + TYPE]!;
    entry.linkStart = 0;
    if (flag !== TYPE_HARDLINK && flag !== TYPE_HARDLINK + 1) {
      entry.linkEnd = 0;
      return;
    }
    if (long?.includes(0)) this.#fail("Link target with a NUL inside", position);
    entry.linkBuffer = long ?? this.#link;
    entry.linkEnd = long?.length ?? copyText(window, position + LINK, LINK_BYTES, this.#link, 0);
    if (entry.linkEnd === 0) this.#fail("Link to nothing", position);
  }

  /** The kind of entry that a typeflag stands for. */
  #entryType(flag: number, position: number): number {
    if (flag >= TYPE_HARDLINK && flag <= TYPE_FIFO) return flag;
    if (flag >= LETTER_A && flag <= LETTER_Z) {
      this.#refuse(
        flag === GNU_SPARSE ? SPARSE : `it has the vendor type "${String.fromCharCode(flag)}"`,
        position,
      );
    }
    for (const key of this.#entry.pax?.keys() ?? []) {
      if (key.startsWith("GNU.sparse.")) this.#refuse(SPARSE, position);
    }
    const { nameBuffer, nameEnd } = this.#entry;
    const plain = flag === TYPE_FILE || flag === 0;
    // Any other typeflag, "7" (contiguous) too, is a regular file: POSIX.1-2017 pax, "ustar Interchange Format".
    return plain && nameBuffer[nameEnd - 1] === SLASH ? TYPE_DIRECTORY : TYPE_FILE;
  }

  #extensionBody(window: Bytes, position: number, end: number): number {
    const bodyStart = position - this.#extensions.filled; // the same place, however the body was cut
    const next = this.#located(bodyStart, () => this.#extensions.fill(window, position, end));
    if (this.#extensions.missing === 0) this.#skip = this.#extensions.padding;
    return next;
  }

  #id(window: Bytes, position: number, at: number, key: "uid" | "gid", pax?: ReadonlyMap<string, Bytes>): number {
    const id = pax?.has(key) ? this.#paxNumber(pax, key, position) : this.#number(window, position, at, ID_BYTES, key);
    if (id > MAX_ID) this.#fail(`${key} ${id} is out of range`, position);
    return id;
  }

  #number(window: Bytes, position: number, at: number, length: number, field: string): number {
    const value = readNumber(window, position + at, length);
    if (value === BAD_NUMBER) this.#fail(`Header field ${field} is no number from 0 to 2^53`, position);
    return value;
  }

  #paxNumber(pax: ReadonlyMap<string, Bytes>, key: string, position: number): number {
    return this.#located(position, () => paxNumber(key, pax.get(key)!));
  }

  /** Says where a malformed extension is. */
  #located<T>(position: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof SyntaxError) this.#fail(error.message, position);
      throw error;
    }
  }

  /** The name of the entry that was handed over last, quoted, for messages. */
  get lastEntry(): string {
    return this.#entryName();
  }

  #entryName(): string {
    const { nameBuffer, nameStart, nameEnd } = this.#entry;
    return JSON.stringify(decoder.decode(nameBuffer.subarray(nameStart, Math.min(nameEnd, nameStart + 256))));
  }

  #fail(why: string, position: number): never {
    const where = this.#reading
      ? `in entry ${this.#entries + 1} ${this.#entryName()}`
      : this.#entries === 0
      ? "before the first entry"
      : `after entry ${this.#entries} ${this.#entryName()}`;
    throw new SyntaxError(`Malformed tar archive at byte ${this.#origin + position}, ${where}: ${why}`);
  }

  #refuse(what: string, position: number): never {
    throw new UserError(
      `Cannot read ${this.#entryName()} at byte ${this.#origin + position} of a tar archive: ${what}`,
      {
        hint: "Build the layer with a tool that writes plain files",
      },
    );
  }
}

function isUstar(window: Bytes, position: number): boolean {
  const at = position + MAGIC;
  return window[at] === 0x75 && window[at + 1] === 0x73 && window[at + 2] === 0x74 && window[at + 3] === 0x61 &&
    window[at + 4] === 0x72 && window[at + 5] === 0;
}

/** Copies a field up to its NUL; the length of `into` afterwards. */
function copyText(window: Bytes, from: number, maximum: number, into: Bytes, length: number): number {
  const end = from + maximum;
  for (; from < end; from++) {
    const character = window[from]!;
    if (character === 0) break;
    into[length++] = character;
  }
  return length;
}
