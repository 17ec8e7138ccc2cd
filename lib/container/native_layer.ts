/**
 * A layer of an ostree-native image: a tar of repository objects, each verified against its name before it is written (formats.md 3.4;
 * ostree-ext `tar/import.rs`). Everything else in it, the hardlinks that make it a usable container, is passed over.
 *
 * Extended attributes come in one of three ways: `X.file-xattrs-link` as a regular file before `X.file` (bootc 1.8 and later), the same as
 * a hardlink to a shared `Y.file-xattrs`, or `X.file.xattrs` as a hardlink to `xattrs/Y` (2022).
 */
import type { TarEntry, TarSink } from "../codec/tar.ts";
import { decodeCommit, decodeMetadata } from "../ostree/commit.ts";
import { walkDirtree } from "../ostree/dirtree.ts";
import { binaryString, displayPath, type FileMeta, parseXattrSet, S_IFLNK, S_IFREG } from "../ostree/objects.ts";
import type { MetadataType, ObjectStore } from "../ostree/store.ts";
import { sha256 } from "../codec/sha256.ts";
import { UserError } from "../sys/errors.ts";
import type { Bytes } from "../sys/libc.ts";

const encoder = new TextEncoder();
const OBJECTS = encoder.encode("sysroot/ostree/repo/objects/");
const XATTRS_DIRECTORIES = ["sysroot/ostree/repo/xattrs/", "sysroot/ostree/xattrs/"];
const OBJECT_NAME_BYTES = 65;
const METADATA_MAX_BYTES = 10 << 20;
const XATTRS_MAX_BYTES = 1 << 20;
const HARDLINK = 0x31, SYMLINK = 0x32;

/** What an object's extension says, or undefined for a name that is none of ours. */
type Extension =
  | "file"
  | "dirtree"
  | "dirmeta"
  | "commit"
  | "commitmeta"
  | "file-xattrs"
  | "file-xattrs-link"
  | "file.xattrs";

const EXTENSIONS: readonly [Uint8Array, Extension][] = ([
  "file",
  "dirtree",
  "dirmeta",
  "file-xattrs-link",
  "commit",
  "commitmeta",
  "file-xattrs",
  "file.xattrs",
] as const).map((name) => [encoder.encode(name), name]);

/** Takes a native layer's entries and writes its objects. */
export class NativeLayer implements TarSink {
  /** The commit object that the layer brought. */
  commit: string | undefined;
  /** Detached metadata of that commit (signatures). */
  commitMetadata: Bytes | undefined;
  /** Checksums of the content objects, 64 characters each, where they are wanted: a chunk's commit lists them. */
  readonly files: string[] = [];
  #want = new Uint8Array(32);
  #streaming: Bytes | undefined;
  #collected: { extension: Exclude<Extension, "file">; bytes: Bytes; used: number } | undefined;
  #ignoring = false;
  #shared = new Map<string, Bytes | undefined>();
  #pendingFor: string | undefined;
  #pending: Bytes | undefined;
  #meta: FileMeta = { uid: 0, gid: 0, mode: 0, size: 0, xattrs: undefined };

  constructor(readonly store: ObjectStore, readonly options: { readonly listFiles: boolean }) {}

  /** The commit, of the layer that must bring it. @throws {UserError} when it brought none */
  requireCommit(layer: string): string {
    if (this.commit !== undefined) return this.commit;
    throw new UserError(`Layer "${layer}" holds no ostree commit`, {
      hint: "The image's label ostree.final-diffid is wrong, or the image is damaged",
    });
  }

  /** Reads `sysroot/ostree/repo/objects/ab/cdef….EXT`; the checksum goes into `#want`. */
  #parse(entry: TarEntry): Extension | undefined {
    const bytes = entry.nameBuffer;
    let start = entry.nameStart;
    if (bytes[start] === 0x2e && bytes[start + 1] === 0x2f) start += 2;
    const extensionAt = start + OBJECTS.length + OBJECT_NAME_BYTES + 1;
    if (extensionAt >= entry.nameEnd) return undefined;
    for (let i = 0; i < OBJECTS.length; i++) {
      if (bytes[start + i] !== OBJECTS[i]) return undefined;
    }
    const at = start + OBJECTS.length;
    if (bytes[at + 2] !== 0x2f || bytes[extensionAt - 1] !== 0x2e) return undefined;
    this.#want[0] = hexByte(bytes, at);
    for (let i = 1, p = at + 3; i < 32; i++, p += 2) this.#want[i] = hexByte(bytes, p);
    const length = entry.nameEnd - extensionAt;
    for (const [name, extension] of EXTENSIONS) {
      if (name.length !== length) continue;
      let same = true;
      for (let i = 0; i < length && same; i++) same = bytes[extensionAt + i] === name[i];
      if (same) return extension;
    }
    throw new SyntaxError(`"${binaryString(bytes, start, entry.nameEnd)}" is no object that ostree knows`);
  }

  /** The directory of shared xattrs of 2022. */
  #sharedName(entry: TarEntry, linkTarget = false): string | undefined {
    const path =
      (linkTarget
        ? binaryString(entry.linkBuffer, entry.linkStart, entry.linkEnd)
        : binaryString(entry.nameBuffer, entry.nameStart, entry.nameEnd)).replace(/^(\.\/|\/)+/, "");
    const directory = XATTRS_DIRECTORIES.find((prefix) => path.startsWith(prefix));
    return directory === undefined ? undefined : path.slice(directory.length);
  }

  #fill(entry: TarEntry, type: number): FileMeta {
    const meta = this.#meta;
    meta.uid = entry.uid;
    meta.gid = entry.gid;
    meta.mode = type | (entry.mode & 0o7777);
    meta.size = entry.size;
    meta.xattrs = undefined;
    if (this.#pendingFor !== undefined) {
      if (this.#pendingFor === this.#want.toHex()) meta.xattrs = this.#pending;
      this.#pendingFor = undefined;
      this.#pending = undefined;
    }
    return meta;
  }

  #list(checksum: Bytes): void {
    if (this.options.listFiles) this.files.push(checksum.toHex());
  }

  file(window: Bytes, body: number, entry: TarEntry): void {
    const extension = this.#parse(entry);
    if (extension === "file") {
      this.store.file(window, body, this.#fill(entry, S_IFREG), this.#want);
      this.#list(this.#want);
    } else if (extension !== undefined) {
      this.#metadata(extension, window.slice(body, body + entry.size));
    } else {
      const shared = this.#sharedName(entry);
      if (shared !== undefined) this.#addShared(shared, window.slice(body, body + entry.size));
    }
  }

  begin(entry: TarEntry): void {
    const extension = this.#parse(entry);
    this.#ignoring = extension === undefined;
    if (extension === "file") {
      this.#streaming = this.#want.slice();
      this.store.fileBegin(this.#fill(entry, S_IFREG));
    } else if (extension !== undefined) {
      const limit = extension.includes("xattrs") ? XATTRS_MAX_BYTES : METADATA_MAX_BYTES;
      if (entry.size > limit) {
        throw new SyntaxError(`A ${extension} object has ${entry.size} bytes; the limit is ${limit}`);
      }
      this.#collected = { extension, bytes: new Uint8Array(entry.size), used: 0 };
      this.#streaming = this.#want.slice();
    }
  }

  data(piece: Bytes): void {
    if (this.#ignoring) return;
    if (this.#collected) {
      this.#collected.bytes.set(piece, this.#collected.used);
      this.#collected.used += piece.length;
    } else {
      this.store.fileData(piece);
    }
  }

  end(): void {
    if (this.#ignoring) return;
    this.#want.set(this.#streaming!);
    if (this.#collected) {
      const { extension, bytes } = this.#collected;
      this.#collected = undefined;
      this.#metadata(extension, bytes);
    } else {
      this.store.fileEnd(this.#want);
      this.#list(this.#want);
    }
  }

  other(entry: TarEntry): void {
    if (entry.type !== SYMLINK && entry.type !== HARDLINK) return;
    const extension = this.#parse(entry);
    if (extension === "file" && entry.type === SYMLINK) {
      const target = entry.linkBuffer.slice(entry.linkStart, entry.linkEnd);
      this.store.symlink(target, this.#fill(entry, S_IFLNK), this.#want);
      this.#list(this.#want);
    } else if ((extension === "file-xattrs-link" || extension === "file.xattrs") && entry.type === HARDLINK) {
      this.#linkShared(entry);
    }
  }

  #metadata(extension: Exclude<Extension, "file">, bytes: Bytes): void {
    switch (extension) {
      case "file-xattrs-link":
      case "file.xattrs":
        this.#pendingFor = this.#want.toHex();
        this.#pending = checkedXattrs(bytes);
        return;
      case "file-xattrs":
        return this.#addShared(this.#want.toHex(), bytes);
      case "commitmeta":
        return this.#addCommitMetadata(bytes);
      default:
        checkMetadata(extension, bytes);
        this.store.metadata(extension, bytes, this.#want);
    }
    if (extension !== "commit") return;
    if (this.commit !== undefined) throw new SyntaxError("The layer holds more than one commit");
    this.commit = this.#want.toHex();
  }

  /** It stands behind its commit, and has no checksum. */
  #addCommitMetadata(bytes: Bytes): void {
    if (this.commit !== this.#want.toHex()) throw new SyntaxError("Detached metadata belong to no commit before them");
    decodeMetadata(bytes);
    this.commitMetadata = bytes;
  }

  #addShared(name: string, bytes: Bytes): void {
    if (bytes.length > XATTRS_MAX_BYTES) {
      throw new SyntaxError(`A set of extended attributes has ${bytes.length} bytes`);
    }
    if (sha256(bytes).toHex() !== name) {
      throw new SyntaxError(`The set of extended attributes "${displayPath(name)}" is corrupt`);
    }
    this.#shared.set(name, checkedXattrs(bytes));
  }

  #linkShared(entry: TarEntry): void {
    const target = binaryString(entry.linkBuffer, entry.linkStart, entry.linkEnd).replace(/^(\.\/|\/)+/, "");
    const object = /^sysroot\/ostree\/repo\/objects\/([0-9a-f]{2})\/([0-9a-f]{62})\.file-xattrs$/.exec(target);
    const name = object ? object[1]! + object[2]! : this.#sharedName(entry, true);
    if (name === undefined || !this.#shared.has(name)) {
      throw new SyntaxError(
        `"${displayPath(target)}", which a link to extended attributes names, is not in the layer before it`,
      );
    }
    this.#pendingFor = this.#want.toHex();
    this.#pending = this.#shared.get(name);
  }
}

/** Both digits of a byte. @throws {SyntaxError} unless they are lower-case hexadecimal */
function hexByte(bytes: Uint8Array, at: number): number {
  return hexDigit(bytes[at]!) << 4 | hexDigit(bytes[at + 1]!);
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10;
  throw new SyntaxError("An object's name is no checksum");
}

/** A set that parses, or undefined for the empty one. @throws {RangeError} @throws {SyntaxError} */
function checkedXattrs(bytes: Bytes): Bytes | undefined {
  for (const [name, value] of parseXattrSet(bytes)) {
    if (value.length > 0) continue;
    throw new SyntaxError(
      `Extended attribute "${displayPath(binaryString(name))}" is empty, which ostree cannot store`,
    );
  }
  return bytes.length === 0 ? undefined : bytes;
}

/** The right checksum says that the bytes are the author's, not that they are well formed. @throws {RangeError} @throws {SyntaxError} */
function checkMetadata(type: MetadataType, bytes: Bytes): void {
  if (type === "dirtree") walkDirtree(bytes, { file: () => {}, directory: () => {} });
  else if (type === "commit") decodeCommit(bytes);
  else {
    const mode = bytes.length < 12 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(8);
    if ((mode & 0o170000) !== 0o040000) throw new SyntaxError("A dirmeta object is malformed");
    parseXattrSet(bytes.subarray(12));
  }
}
