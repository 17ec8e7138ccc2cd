/**
 * The tree of one layer while it is read. Files are records in a log of bytes, about 50 bytes each, with neither string nor object a file:
 *
 *     u32 previous record of the same directory | u8 length of name, u8 kind | name | 32 bytes of checksum
 *
 * Directories are few and are objects. At the end each directory's records are put in order (mostly they are) and its dirtree is streamed
 * out: of a large directory only the positions are held in memory.
 */
import type { Bytes } from "../sys/libc.ts";
import { writeDirtree } from "./dirtree.ts";
import { binaryString, dirmetaBytes, displayPath, fromBinaryString } from "./objects.ts";
import type { ObjectStore } from "./store.ts";

const CHUNK_BITS = 18;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const RECORD_HEAD = 6;
const NAME_MAX_BYTES = 255;
/** Kinds of records: a file or symlink, or a hardlink to a file that this layer does not have (its target's number stands for a checksum). */
const FILE = 0, FOREIGN_LINK = 1;

/** A directory in the making; names are binary strings. */
export class LayerDirectory {
  /** Position of its newest record, -1 for none. */
  last = -1;
  files = 0;
  readonly directories = new Map<string, LayerDirectory>();
  /** An entry of the archive names it (its metadata counts), and how far the log was then. */
  named = -1;
  /** How far the log was when something was last put below. */
  touched = 0;
  /** Records before this one do not count. */
  since = -1;
  /** The dirtree, once it is written. */
  checksum: Bytes | undefined;
  index: Map<string, number> | undefined;

  constructor(public meta: Bytes) {}
}

/** A name is `bytes[start, end)`. */
export interface NameBytes {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** A name in a layer: a file's checksum, or the path in earlier layers that it is a hardlink to. */
export type LayerFile = { readonly checksum: Bytes } | { readonly target: string };

/** Chunks are reused by the next layer: many small layers must not leave a chunk each to the collector. */
const pool: Bytes[] = [];

function requireNameLength(length: number): void {
  if (length < 1 || length > NAME_MAX_BYTES) {
    throw new RangeError(`A name has ${length} bytes; a file system takes 1 to ${NAME_MAX_BYTES}`);
  }
}

/** See the module's comment. */
export class LayerTree {
  readonly root: LayerDirectory;
  /** Some entry is a whiteout. */
  whiteouts = false;
  #chunks: Bytes[] = [];
  #used = CHUNK_BYTES;
  #metas = new Map<string, Bytes>();
  #targets: string[] = [];
  #links: [string, string][] = [];

  /** `impliedXattrs` gives the dirmeta's xattrs for a directory that no entry names (a label, say). */
  constructor(
    readonly store: ObjectStore,
    readonly impliedXattrs: (path: string) => Bytes | undefined = () => undefined,
  ) {
    this.root = new LayerDirectory(this.dirmeta({ uid: 0, gid: 0, mode: 0o755 }, impliedXattrs("")));
  }

  /** Writes a dirmeta once; gives its checksum. */
  dirmeta(owner: { uid: number; gid: number; mode: number }, xattrs: Bytes | undefined): Bytes {
    const key = `${owner.uid}.${owner.gid}.${owner.mode}.${xattrs ? binaryString(xattrs) : ""}`;
    let checksum = this.#metas.get(key);
    if (!checksum) {
      checksum = this.store.metadata("dirmeta", dirmetaBytes(owner, xattrs)).slice();
      this.#metas.set(key, checksum);
    }
    return checksum;
  }

  get #position(): number {
    return (this.#chunks.length - 1) * CHUNK_BYTES + this.#used;
  }

  /**
   * The directory at a path without leading or trailing slash; it and its parents are made, with root's ownership and 0755.
   * @throws {RangeError} on a name that is too long
   */
  at(path: string): LayerDirectory {
    let directory = this.root;
    if (path === "") return directory;
    let end = -1;
    do {
      const start = end + 1;
      end = path.indexOf("/", start);
      const name = end < 0 ? path.slice(start) : path.slice(start, end);
      let child = directory.directories.get(name);
      if (!child) {
        requireNameLength(name.length);
        child = new LayerDirectory(
          this.dirmeta({ uid: 0, gid: 0, mode: 0o755 }, this.impliedXattrs(end < 0 ? path : path.slice(0, end))),
        );
        directory.directories.set(name, child);
      }
      directory.touched = this.#position;
      directory = child;
    } while (end >= 0);
    return directory;
  }

  /** Gives a directory the metadata that an entry brings. */
  name(directory: LayerDirectory, meta: Bytes): void {
    directory.meta = meta;
    directory.named = this.#position;
  }

  /** Adds a file or symlink named `bytes[start, end)`; of equal names the last one counts. @throws {RangeError} on a name that is too long */
  add(directory: LayerDirectory, name: NameBytes, checksum: Uint8Array): void {
    this.#record(directory, name, checksum, FILE);
  }

  /** Adds a hardlink to a file of an earlier layer. @throws {RangeError} on a name that is too long */
  link(directory: LayerDirectory, name: NameBytes, target: string): void {
    const number = new Uint8Array(32);
    new DataView(number.buffer).setUint32(0, this.#targets.push(target) - 1);
    this.#record(directory, name, number, FOREIGN_LINK);
  }

  #record(directory: LayerDirectory, name: NameBytes, checksum: Uint8Array, kind: number): void {
    const { bytes, start, end } = name;
    const length = end - start;
    requireNameLength(length);
    const need = RECORD_HEAD + length + 32;
    if (this.#used + need > CHUNK_BYTES) {
      this.#chunks.push(pool.pop() ?? new Uint8Array(CHUNK_BYTES));
      this.#used = 0;
    }
    const position = this.#position;
    const chunk = this.#chunks[this.#chunks.length - 1]!;
    let at = this.#used;
    const previous = directory.last;
    chunk[at++] = previous;
    chunk[at++] = previous >> 8;
    chunk[at++] = previous >> 16;
    chunk[at++] = previous >> 24;
    chunk[at++] = length;
    chunk[at++] = kind;
    if (bytes[start] === 0x2e && bytes[start + 1] === 0x77 && bytes[start + 2] === 0x68 && bytes[start + 3] === 0x2e) {
      this.whiteouts = true;
    }
    for (let i = start; i < end; i++) chunk[at++] = bytes[i]!;
    for (let i = 0; i < 32; i++) chunk[at++] = checksum[i]!;
    this.#used = at;
    directory.last = position;
    directory.touched = position + 1;
    directory.files++;
    directory.index?.set(binaryString(bytes, start, end), position);
  }

  /** The file at a path, or undefined. An index is built only for a directory that is asked for. */
  find(path: string): LayerFile | undefined {
    const cut = path.lastIndexOf("/");
    let directory: LayerDirectory | undefined = this.root;
    if (cut >= 0) {
      for (const name of path.slice(0, cut).split("/")) directory = directory?.directories.get(name);
    }
    if (!directory) return undefined;
    if (!directory.index) {
      directory.index = new Map();
      for (const position of this.#positions(directory)) directory.index.set(this.#nameAt(position), position);
    }
    const position = directory.index.get(path.slice(cut + 1));
    if (position === undefined) return undefined;
    const target = this.#targetAt(position);
    return target === undefined ? { checksum: this.#checksumAt(position).slice() } : { target };
  }

  #checksumAt(position: number): Bytes {
    const chunk = this.#chunks[position >> CHUNK_BITS]!;
    const at = (position & (CHUNK_BYTES - 1)) + RECORD_HEAD;
    const end = at + chunk[at - 2]!;
    return chunk.subarray(end, end + 32);
  }

  #targetAt(position: number): string | undefined {
    const kind = this.#chunks[position >> CHUNK_BITS]![(position & (CHUNK_BYTES - 1)) + RECORD_HEAD - 1];
    if (kind !== FOREIGN_LINK) return undefined;
    const { buffer, byteOffset } = this.#checksumAt(position);
    return this.#targets[new DataView(buffer, byteOffset).getUint32(0)];
  }

  #nameAt(position: number): string {
    const chunk = this.#chunks[position >> CHUNK_BITS]!;
    const at = (position & (CHUNK_BYTES - 1)) + RECORD_HEAD;
    return binaryString(chunk, at, at + chunk[at - 2]!);
  }

  #positions(directory: LayerDirectory): Int32Array<ArrayBuffer> {
    const positions = new Int32Array(directory.files);
    let position = directory.last;
    for (let i = directory.files - 1; i >= 0; i--) {
      positions[i] = position;
      const chunk = this.#chunks[position >> CHUNK_BITS]!;
      const at = position & (CHUNK_BYTES - 1);
      position = chunk[at]! | chunk[at + 1]! << 8 | chunk[at + 2]! << 16 | chunk[at + 3]! << 24;
    }
    return positions;
  }

  #compare = (p: number, q: number): number => {
    const x = this.#chunks[p >> CHUNK_BITS]!, y = this.#chunks[q >> CHUNK_BITS]!;
    const a = (p & (CHUNK_BYTES - 1)) + RECORD_HEAD, b = (q & (CHUNK_BYTES - 1)) + RECORD_HEAD;
    const n = x[a - 2]!, m = y[b - 2]!;
    const shared = n < m ? n : m;
    for (let i = 0; i < shared; i++) {
      const difference = x[a + i]! - y[b + i]!;
      if (difference !== 0) return difference;
    }
    return n - m;
  };

  /** Sorted, each name once: the last of equal ones. */
  #sorted(directory: LayerDirectory): Int32Array<ArrayBuffer> {
    let positions = this.#positions(directory);
    if (directory.since >= 0) positions = positions.filter((position) => position > directory.since);
    let inOrder = true;
    for (let i = 1; i < positions.length && inOrder; i++) inOrder = this.#compare(positions[i - 1]!, positions[i]!) < 0;
    if (inOrder) return positions;
    positions.sort((p, q) => this.#compare(p, q) || p - q);
    let kept = 0;
    for (let i = 0; i < positions.length; i++) {
      const next = positions[i + 1];
      if (next === undefined || this.#compare(positions[i]!, next) !== 0) positions[kept++] = positions[i]!;
    }
    return positions.subarray(0, kept);
  }

  /**
   * Settles a name that is both a file and a directory: the later entry wins, and of a directory only what came after the file.
   * @throws {SyntaxError} when something lies below a file or symlink
   */
  #settle(directory: LayerDirectory, positions: Int32Array<ArrayBuffer>, path: string): Int32Array<ArrayBuffer> {
    const dropped = new Set<number>();
    for (const [name, rival] of directory.directories) {
      const index = this.#search(positions, name);
      if (index < 0) continue;
      const position = positions[index]!;
      if (rival.named > position) {
        dropped.add(position);
        rival.since = position;
      } else if (rival.touched > position) {
        throw new SyntaxError(`Entries lie below "${displayPath(path + name)}", which is a file or symlink`);
      } else directory.directories.delete(name);
    }
    return dropped.size === 0 ? positions : positions.filter((position) => !dropped.has(position));
  }

  /** Where a name is among sorted positions, or -1. */
  #search(positions: Int32Array<ArrayBuffer>, name: string): number {
    let low = 0, high = positions.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#nameAt(positions[middle]!);
      if (found === name) return middle;
      if (found < name) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /**
   * Writes the dirtrees below a directory, children first; gives its dirtree's checksum.
   * @throws {SyntaxError} when something lies below a file or symlink
   */
  flush(directory: LayerDirectory = this.root, path = ""): Bytes {
    if (directory.since >= 0) this.#forgetBefore(directory, directory.since);
    let positions = this.#settle(directory, this.#sorted(directory), path);
    if (this.#targets.length > 0) positions = this.#takeLinks(positions, path);
    const names = [...directory.directories.keys()].sort();
    for (const name of names) this.flush(directory.directories.get(name)!, `${path}${name}/`);
    directory.checksum = this.#writeDirtree(directory, positions, names);
    return directory.checksum;
  }

  /** A file once stood in this directory's place: what was below it before is gone. */
  #forgetBefore(directory: LayerDirectory, position: number): void {
    for (const [name, child] of directory.directories) {
      child.since = position;
      if (child.named <= position && child.touched <= position) directory.directories.delete(name);
    }
  }

  /** Hardlinks to earlier layers are no entries of this layer's tree. */
  #takeLinks(positions: Int32Array<ArrayBuffer>, path: string): Int32Array<ArrayBuffer> {
    return positions.filter((position) => {
      const target = this.#targetAt(position);
      if (target !== undefined) this.#links.push([path + this.#nameAt(position), target]);
      return target === undefined;
    });
  }

  /** Hardlinks to files that earlier layers have, path and target; known once the tree is flushed. */
  get links(): readonly (readonly [path: string, target: string])[] {
    return this.#links;
  }

  #writeDirtree(directory: LayerDirectory, positions: Int32Array<ArrayBuffer>, names: readonly string[]): Bytes {
    const place = (index: number): [Bytes, number] => {
      const position = positions[index]!;
      return [this.#chunks[position >> CHUNK_BITS]!, (position & (CHUNK_BYTES - 1)) + RECORD_HEAD];
    };
    const nameLength = (index: number) => {
      const [chunk, at] = place(index);
      return chunk[at - 2]!;
    };
    return writeDirtree(this.store.metadataStream("dirtree"), {
      count: positions.length,
      nameLength,
      putName: (out, index) => out.bytes(...place(index), nameLength(index)),
      putChecksums: (out, index) => {
        const [chunk, at] = place(index);
        out.bytes(chunk, at + chunk[at - 2]!, 32);
      },
    }, {
      count: names.length,
      nameLength: (index) => names[index]!.length,
      putName: (out, index) => out.bytes(fromBinaryString(names[index]!), 0, names[index]!.length),
      putChecksums: (out, index) => {
        const child = directory.directories.get(names[index]!)!;
        out.bytes(child.checksum!, 0, 32);
        out.bytes(child.meta, 0, 32);
      },
    });
  }

  /** Every directory that an entry named, as sorted paths; the root never counts. */
  namedDirectories(directory: LayerDirectory = this.root, path = ""): string[] {
    const out: string[] = [];
    for (const name of [...directory.directories.keys()].sort()) {
      const child = directory.directories.get(name)!;
      if (child.named >= 0) out.push(path + name);
      for (const deeper of this.namedDirectories(child, `${path}${name}/`)) out.push(deeper);
    }
    return out;
  }

  /** Gives the log's memory back; the tree cannot be used any more. */
  free(): void {
    pool.push(...this.#chunks);
    this.#chunks = [];
    this.#used = CHUNK_BYTES;
  }
}
