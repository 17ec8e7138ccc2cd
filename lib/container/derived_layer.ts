/**
 * An ordinary container layer: its files become objects, its tree a commit. Whiteouts stay in the tree as files named `.wh.NAME`; the merge
 * obeys them. What a later merge must know of the archive is kept with the commit ({@linkcode LayerFacts}).
 */
import type { TarEntry, TarSink } from "../codec/tar.ts";
import { LayerTree } from "../ostree/layer_tree.ts";
import type { LayerDirectory } from "../ostree/layer_tree.ts";
import { type Labeler, labelledSet, relabelFile, SELINUX_XATTR } from "../ostree/relabel.ts";
import {
  binaryString,
  displayPath,
  type FileMeta,
  fromBinaryString,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
  type Xattr,
  xattrSet,
} from "../ostree/objects.ts";
import type { ObjectStore } from "../ostree/store.ts";
import { UserError } from "../sys/errors.ts";
import type { Bytes } from "../sys/libc.ts";
import { filterPath, type FilterRules, normalizePath, REPOSITORY_PREFIX } from "./path_filter.ts";

const HARDLINK = 0x31, SYMLINK = 0x32, DIRECTORY = 0x35;
const XATTR_PREFIX = "SCHILY.xattr.";
const SLASH = 0x2f, DOT = 0x2e;
const LISTED_DROPS = 1000;
/** With the longest name behind it, a remembered parent still makes a path that needs no check of its length. */
const REMEMBERED_PARENT_BYTES = 3800;
const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** What a derived layer's archive says beyond its tree. */
export interface LayerFacts {
  /** Directories that an entry names, as sorted binary strings: only their metadata counts in a merge (trap T29). */
  readonly named: readonly string[];
  /** Hardlinks to files that an earlier layer has: path and target. */
  readonly links: readonly (readonly [path: string, target: string])[];
  readonly whiteouts: boolean;
  /** How many paths of each top-level name were left out. */
  readonly dropped: ReadonlyMap<string, number>;
  /** The first 1000 of these paths, for a person. */
  readonly droppedPaths: readonly string[];
}

/** Takes a derived layer's entries; then {@linkcode DerivedLayer.finish}. */
export class DerivedLayer implements TarSink {
  #tree: LayerTree;
  #dropped = new Map<string, number>();
  #droppedPaths: string[] = [];
  /** Files below sysroot/ostree, which a container engine left as targets of hardlinks: their checksums by path. */
  #repositoryFiles = new Map<string, Bytes>();
  #meta: FileMeta = { uid: 0, gid: 0, mode: 0, size: 0, xattrs: undefined };
  /** The directory part of the last entry's name as it stands in the archive, and what it led to. */
  #lastParent = new Uint8Array(0);
  #directory: LayerDirectory;
  #directoryPath = "";
  #name: { bytes: Uint8Array; start: number; end: number } = { bytes: new Uint8Array(0), start: 0, end: 0 };
  #streaming: "keep" | "repository" | "skip" = "skip";
  #streamPath = "";

  constructor(readonly store: ObjectStore, readonly rules: FilterRules, readonly label: Labeler | undefined) {
    const implied = label && ((path: string) => labelledSet([], label(path, S_IFDIR | 0o755)));
    this.#tree = new LayerTree(store, implied);
    this.#directory = this.#tree.root;
  }

  /**
   * Finds where an entry goes: sets the directory and the name in it. A run of entries in one directory compares bytes and makes no string.
   * @throws {SyntaxError} on a name that no tree can hold
   */
  #place(entry: TarEntry): boolean {
    const bytes = entry.nameBuffer;
    let end = entry.nameEnd;
    while (end > entry.nameStart && bytes[end - 1] === SLASH) end--;
    let cut = end;
    while (cut > entry.nameStart && bytes[cut - 1] !== SLASH) cut--;
    const leaf = end - cut;
    const plainLeaf = leaf > 2 || (leaf > 0 && bytes[cut] !== DOT);
    if (!plainLeaf || !this.#sameParent(bytes, entry.nameStart, cut)) {
      return this.#placeSlowly(bytes, { start: entry.nameStart, cut, end });
    }
    this.#setName(bytes, cut, end);
    return true;
  }

  #sameParent(bytes: Uint8Array, start: number, cut: number): boolean {
    const last = this.#lastParent;
    if (cut - start !== last.length || last.length === 0) return false;
    for (let i = 0; i < last.length; i++) {
      if (last[i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #setName(bytes: Uint8Array, start: number, end: number): void {
    let high = 0;
    for (let i = start; i < end; i++) {
      high |= bytes[i]!;
      if (bytes[i] === 0) throw new SyntaxError("A name holds a NUL byte");
    }
    if (high > 127) requireUtf8(bytes.subarray(start, end));
    this.#name.bytes = bytes;
    this.#name.start = start;
    this.#name.end = end;
  }

  #placeSlowly(bytes: Uint8Array, { start, cut, end }: { start: number; cut: number; end: number }): boolean {
    const raw = binaryString(bytes, start, end);
    requireUtf8(bytes.subarray(start, end));
    const path = normalizePath(raw);
    const filtered = filterPath(path, this.rules);
    if (filtered.kind === "drop") this.#drop(filtered.top, raw);
    if (filtered.kind !== "keep") return false;
    const slash = filtered.path.lastIndexOf("/");
    const parent = slash < 0 ? "" : filtered.path.slice(0, slash);
    this.#directory = this.#tree.at(parent);
    this.#directoryPath = parent;
    const name = fromBinaryString(filtered.path.slice(slash + 1));
    this.#setName(name, 0, name.length);
    // At the top each name is filtered by itself; below, a name's siblings go where it goes.
    const remembered = path.includes("/") && cut - start <= REMEMBERED_PARENT_BYTES;
    this.#lastParent = remembered ? bytes.slice(start, cut) : new Uint8Array(0);
    return true;
  }

  #drop(top: string, path: string): void {
    this.#dropped.set(top, (this.#dropped.get(top) ?? 0) + 1);
    if (this.#droppedPaths.length < LISTED_DROPS) this.#droppedPaths.push(path);
  }

  #fullPath(): string {
    const name = binaryString(this.#name.bytes, this.#name.start, this.#name.end);
    return this.#directoryPath === "" ? name : `${this.#directoryPath}/${name}`;
  }

  #labelPath(): string | undefined {
    return this.label && this.#fullPath();
  }

  /** `path` is where a label is looked up: none for files of the container's repository, which get theirs from what links to them. */
  #fill(entry: TarEntry, type: number, path: string | undefined): FileMeta {
    const meta = this.#meta;
    meta.uid = entry.uid;
    meta.gid = entry.gid;
    meta.mode = type | (type === S_IFLNK ? 0o777 : entry.mode & 0o7777);
    meta.size = type === S_IFREG ? entry.size : 0;
    meta.xattrs = entry.pax === undefined && !this.label ? undefined : this.#xattrs(entry, meta.mode, path);
    return meta;
  }

  #xattrs(entry: TarEntry, mode: number, path: string | undefined): Bytes | undefined {
    const xattrs: Xattr[] = [];
    for (const [key, value] of entry.pax ?? []) {
      // libostree reads no empty attribute back from a bare repository: an object with one would not have its own checksum.
      if (!key.startsWith(XATTR_PREFIX) || value.length === 0) continue;
      const name = key.slice(XATTR_PREFIX.length);
      if (name === "" || name.length > 255 || name.includes("\0")) {
        throw new SyntaxError("An extended attribute has no valid name");
      }
      if (this.label && name === SELINUX_XATTR) continue;
      xattrs.push([encoder.encode(name), value]);
    }
    if (!this.label || path === undefined) return xattrSet(xattrs);
    return labelledSet(xattrs, this.label(path, mode));
  }

  /** A file of the container's own repository: kept only as what a hardlink may name. */
  #repositoryPath(entry: TarEntry): string | undefined {
    const bytes = entry.nameBuffer;
    let at = entry.nameStart;
    while (bytes[at] === SLASH || (bytes[at] === DOT && bytes[at + 1] === SLASH)) at++;
    if (bytes[at] !== 0x73 || bytes[at + 1] !== 0x79 || bytes[at + 2] !== 0x73 || bytes[at + 3] !== 0x72) {
      return undefined; // "sysr"
    }
    const path = normalizePath(binaryString(bytes, entry.nameStart, entry.nameEnd));
    return path.startsWith(REPOSITORY_PREFIX) ? path : undefined;
  }

  file(window: Bytes, body: number, entry: TarEntry): void {
    const inRepository = this.#repositoryPath(entry);
    if (inRepository !== undefined) {
      this.#repositoryFiles.set(
        inRepository,
        this.store.file(window, body, this.#fill(entry, S_IFREG, undefined)).slice(),
      );
    } else if (this.#place(entry)) {
      const checksum = this.store.file(window, body, this.#fill(entry, S_IFREG, this.#labelPath()));
      this.#tree.add(this.#directory, this.#name, checksum);
    }
  }

  begin(entry: TarEntry): void {
    const inRepository = this.#repositoryPath(entry);
    this.#streaming = inRepository !== undefined ? "repository" : this.#place(entry) ? "keep" : "skip";
    if (this.#streaming === "skip") return;
    this.#streamPath = inRepository ?? "";
    this.#name = {
      bytes: this.#name.bytes.slice(this.#name.start, this.#name.end),
      start: 0,
      end: this.#name.end - this.#name.start,
    };
    this.store.fileBegin(this.#fill(entry, S_IFREG, inRepository === undefined ? this.#labelPath() : undefined));
  }

  data(piece: Bytes): void {
    if (this.#streaming !== "skip") this.store.fileData(piece);
  }

  end(): void {
    if (this.#streaming === "skip") return;
    const checksum = this.store.fileEnd();
    if (this.#streaming === "repository") this.#repositoryFiles.set(this.#streamPath, checksum.slice());
    else this.#tree.add(this.#directory, this.#name, checksum);
  }

  other(entry: TarEntry): void {
    const inRepository = entry.type === SYMLINK ? this.#repositoryPath(entry) : undefined;
    if (inRepository !== undefined) {
      const checksum = this.store.symlink(symlinkTarget(entry), this.#fill(entry, S_IFLNK, undefined));
      this.#repositoryFiles.set(inRepository, checksum.slice());
      return;
    }
    if (!this.#place(entry)) return;
    switch (entry.type) {
      case DIRECTORY:
        return this.#addDirectory(entry);
      case SYMLINK: {
        const checksum = this.store.symlink(symlinkTarget(entry), this.#fill(entry, S_IFLNK, this.#labelPath()));
        return this.#tree.add(this.#directory, this.#name, checksum);
      }
      case HARDLINK:
        return this.#addHardlink(entry);
      default:
        throw new SyntaxError("It is a device, a FIFO or something else that ostree cannot store");
    }
  }

  #addDirectory(entry: TarEntry): void {
    const path = this.#fullPath();
    const meta = this.#fill(entry, S_IFDIR, this.#labelPath());
    const checksum = this.#tree.dirmeta({ uid: meta.uid, gid: meta.gid, mode: entry.mode & 0o7777 }, meta.xattrs);
    this.#tree.name(this.#tree.at(path), checksum);
  }

  #addHardlink(entry: TarEntry): void {
    const raw = binaryString(entry.linkBuffer, entry.linkStart, entry.linkEnd);
    const target = normalizePath(raw);
    if (target.startsWith(REPOSITORY_PREFIX)) return this.#linkToRepository(target);
    const filtered = filterPath(target, this.rules);
    if (filtered.kind !== "keep") {
      throw new SyntaxError(`It is a hardlink to "${displayPath(raw)}", which is not part of an ostree tree`);
    }
    const file = this.#tree.find(filtered.path);
    if (file && "checksum" in file) this.#tree.add(this.#directory, this.#name, file.checksum);
    else this.#tree.link(this.#directory, this.#name, file?.target ?? filtered.path);
  }

  /** What the engine changed lies in this layer; what it did not is an object of the base, by its name, which has its label already. */
  #linkToRepository(target: string): void {
    const object = /^sysroot\/ostree\/repo\/objects\/([0-9a-f]{2})\/([0-9a-f]{62})\.file$/.exec(target);
    const name = object ? object[1]! + object[2]! : "";
    const changed = this.#repositoryFiles.get(target);
    if (changed) {
      const path = this.#labelPath();
      const checksum = path === undefined ? changed : relabelFile(this.store, changed.toHex(), path, this.label!);
      this.#tree.add(this.#directory, this.#name, checksum);
    } else if (object && this.store.has("file", name)) {
      this.#tree.add(this.#directory, this.#name, Uint8Array.fromHex(name));
    } else {
      throw new SyntaxError(`It is a hardlink to "${displayPath(target)}", which neither this layer nor its base has`);
    }
  }

  /**
   * Writes the tree; gives its root and what the archive said beyond it.
   * @throws {SyntaxError} when something lies below a file or symlink
   */
  finish(): { tree: string; meta: string; facts: LayerFacts } {
    const tree = this.#tree.flush().toHex();
    const facts: LayerFacts = {
      named: this.#tree.namedDirectories(),
      links: this.#tree.links,
      whiteouts: this.#tree.whiteouts,
      dropped: this.#dropped,
      droppedPaths: this.#droppedPaths,
    };
    const meta = this.#tree.root.meta.toHex();
    this.#tree.free();
    return { tree, meta, facts };
  }
}

/** @throws {SyntaxError} @throws {UserError} unless it is UTF-8 */
function symlinkTarget(entry: TarEntry): Uint8Array {
  const target = entry.linkBuffer.subarray(entry.linkStart, entry.linkEnd);
  if (target.length === 0 || target.includes(0)) throw new SyntaxError("A symlink has no valid target");
  requireUtf8(target, "symlink's target");
  return target;
}

/** @throws {UserError} */
function requireUtf8(bytes: Uint8Array, what = "name"): void {
  if (isUtf8(bytes)) return;
  const shown = Array.from(
    bytes,
    (b) => b > 126 || b < 32 ? `\\x${b.toString(16).padStart(2, "0")}` : String.fromCharCode(b),
  ).join("");
  throw new UserError(`The ${what} "${shown}" is not valid UTF-8`, { hint: "Rename the file in the image" });
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
