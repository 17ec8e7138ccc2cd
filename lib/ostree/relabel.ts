/**
 * SELinux labels by the policy that a tree brings along. A label is an xattr, so it is a part of an object's checksum: an object with
 * another label is another object.
 */
import { type Bytes, cstr } from "../sys/libc.ts";
import { walkDirtree, writeDirtree } from "./dirtree.ts";
import { FileObject } from "./file_object.ts";
import {
  binaryString,
  dirmetaBytes,
  fromBinaryString,
  parseXattrSet,
  S_IFDIR,
  type Xattr,
  xattrSet,
} from "./objects.ts";
import type { SePolicy } from "./sepolicy.ts";
import type { ObjectStore } from "./store.ts";

/** The xattr that is a label. */
export const SELINUX_XATTR = "security.selinux";

/** Gives the label of a path of the tree (binary string without leading slash), NUL included; undefined where the policy has none. */
export type Labeler = (path: string, mode: number) => Bytes | undefined;

const NAME: Bytes = new TextEncoder().encode(SELINUX_XATTR);
const NAME_TEXT = binaryString(NAME);
const PIECE_BYTES = 128 << 10;
const INLINE_BYTES = PIECE_BYTES;

/** A policy's labels, by the path that an object has in the tree. */
export function policyLabeler(policy: SePolicy): Labeler {
  return (path, mode) => {
    const absolute = new Uint8Array(path.length + 2);
    absolute[0] = 0x2f;
    absolute.set(fromBinaryString(path), 1);
    const label = policy.labelOf(absolute, mode);
    return label === undefined ? undefined : cstr(label);
  };
}

/** A set of xattrs with this label and no other. */
export function labelledSet(xattrs: readonly Xattr[], label: Bytes | undefined): Bytes | undefined {
  const others = xattrs.filter(([name]) => binaryString(name) !== NAME_TEXT);
  return xattrSet(label ? [...others, [NAME, label]] : others);
}

/** Writes a file object again with the label of the path; gives its checksum, which is the same where the label is. */
export function relabelFile(store: ObjectStore, checksum: string, path: string, label: Labeler): Bytes {
  using file = new FileObject(store.repo, checksum);
  const xattrs = labelledSet(parseXattrSet(file.meta.xattrs), label(path, file.meta.mode));
  if (sameBytes(xattrs, file.meta.xattrs)) return Uint8Array.fromHex(checksum);
  const meta = { ...file.meta, xattrs };
  if (file.target) return store.symlink(file.target, meta).slice();
  const piece = new Uint8Array(Math.min(meta.size, PIECE_BYTES));
  const fill = (): number => {
    let n = 0;
    for (let got = 1; n < piece.length && got > 0; n += got) got = file.read(piece.subarray(n));
    return n;
  };
  if (meta.size <= INLINE_BYTES) {
    fill();
    return store.file(piece, 0, meta).slice();
  }
  store.fileBegin(meta);
  for (let n = fill(); n > 0; n = fill()) store.fileData(piece.subarray(0, n));
  return store.fileEnd().slice();
}

function sameBytes(a: Bytes | undefined, b: Bytes | undefined): boolean {
  return binaryString(a ?? new Uint8Array(0)) === binaryString(b ?? new Uint8Array(0));
}

/** A tree's two checksums, as hex. */
export interface TreeChecksums {
  readonly tree: string;
  readonly meta: string;
}

interface Named {
  readonly name: Bytes;
  readonly checksums: Bytes;
}

/**
 * Writes a tree again with the label of each path. Reads and writes every file whose label differs, and keeps one directory of each level
 * in memory.
 */
export function relabelTree(store: ObjectStore, root: TreeChecksums, label: Labeler, path = ""): TreeChecksums {
  const below = path === "" ? "" : `${path}/`;
  const files: { name: Bytes; checksum: string }[] = [];
  const directories: ({ name: Bytes } & TreeChecksums)[] = [];
  walkDirtree(store.read("dirtree", root.tree), {
    file: (bytes, start, end, at) => {
      files.push({ name: bytes.slice(start, end), checksum: bytes.subarray(at, at + 32).toHex() });
    },
    directory: (bytes, start, end, at) => {
      const [tree, meta] = [bytes.subarray(at, at + 32).toHex(), bytes.subarray(at + 32, at + 64).toHex()];
      directories.push({ name: bytes.slice(start, end), tree, meta });
    },
  });
  const newFiles = files.map(({ name, checksum }): Named => ({
    name,
    checksums: relabelFile(store, checksum, below + binaryString(name), label),
  }));
  const newDirectories = directories.map(({ name, ...child }): Named => {
    const { tree, meta } = relabelTree(store, child, label, below + binaryString(name));
    return { name, checksums: Uint8Array.fromHex(tree + meta) };
  });
  const tree = writeDirtree(store.metadataStream("dirtree"), members(newFiles), members(newDirectories));
  return { tree: tree.toHex(), meta: relabelDirectory(store, root.meta, path, label) };
}

function relabelDirectory(store: ObjectStore, checksum: string, path: string, label: Labeler): string {
  const bytes = store.read("dirmeta", checksum);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const owner = { uid: view.getUint32(0), gid: view.getUint32(4), mode: view.getUint32(8) & 0o7777 };
  const xattrs = labelledSet(parseXattrSet(bytes.subarray(12)), label(path, S_IFDIR | owner.mode));
  return store.metadata("dirmeta", dirmetaBytes(owner, xattrs)).toHex();
}

function members(list: readonly Named[]): Parameters<typeof writeDirtree>[1] {
  return {
    count: list.length,
    nameLength: (index) => list[index]!.name.length,
    putName: (out, index) => out.bytes(list[index]!.name, 0, list[index]!.name.length),
    putChecksums: (out, index) => out.bytes(list[index]!.checksums, 0, list[index]!.checksums.length),
  };
}
