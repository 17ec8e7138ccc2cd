/**
 * Directory trees of stored commits in memory: read where they are looked at, changed, and written again. Names are binary strings;
 * checksums are records in one arena and are referred to by number, so that a large tree costs no object a file.
 */
import type { Bytes } from "../sys/libc.ts";
import { walkDirtree, writeDirtree } from "./dirtree.ts";
import { binaryString, fromBinaryString } from "./objects.ts";
import type { MetadataStream, ObjectStore } from "./store.ts";

/** Checksums by number. */
export class ChecksumArena {
  #bytes = new Uint8Array(1 << 14);
  #count = 0;

  /** Adds the 32 bytes at `at`. */
  add(source: Uint8Array, at = 0): number {
    const offset = this.#count * 32;
    if (offset + 32 > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    for (let i = 0; i < 32; i++) this.#bytes[offset + i] = source[at + i]!;
    return this.#count++;
  }

  /** The 32 bytes; a view. */
  at(number: number): Bytes {
    return this.#bytes.subarray(number * 32, number * 32 + 32);
  }

  hex(number: number): string {
    return this.at(number).toHex();
  }

  equal(a: number, b: number): boolean {
    for (let i = 0; i < 32; i++) {
      if (this.#bytes[a * 32 + i] !== this.#bytes[b * 32 + i]) return false;
    }
    return true;
  }
}

/** A directory's entries. */
export interface TreeNode {
  readonly files: Map<string, number>;
  readonly directories: Map<string, TreeRef>;
}

/** A directory: its dirtree (undefined when it was changed and not yet written), its entries once they are read, its dirmeta. */
export interface TreeRef {
  tree: number | undefined;
  node: TreeNode | undefined;
  meta: number;
}

/** What a path leads to. */
export type TreeEntry = { kind: "file"; checksum: number } | { kind: "directory"; directory: TreeRef };

/** What trees ask of a store: reading, and writing where they are changed. */
export type TreeStore = Pick<ObjectStore, "read" | "metadataStream">;

/** Reads and writes trees through a store; see the module's comment. */
export class Trees<Store extends TreeStore = ObjectStore> {
  readonly arena = new ChecksumArena();

  constructor(readonly store: Store) {}

  /** The root of a commit, from its two checksums as hex. */
  root(tree: string, meta: string): TreeRef {
    return {
      tree: this.arena.add(Uint8Array.fromHex(tree)),
      node: undefined,
      meta: this.arena.add(Uint8Array.fromHex(meta)),
    };
  }

  /** A directory without entries. */
  empty(meta: number): TreeRef {
    return { tree: undefined, node: { files: new Map(), directories: new Map() }, meta };
  }

  /** The entries of a directory, read when first asked for. @throws {RangeError} when the dirtree is malformed */
  entries(ref: TreeRef): TreeNode {
    if (ref.node) return ref.node;
    const node: TreeNode = { files: new Map(), directories: new Map() };
    walkDirtree(this.store.read("dirtree", this.arena.hex(ref.tree!)), {
      file: (bytes, start, end, at) => {
        node.files.set(binaryString(bytes, start, end), this.arena.add(bytes, at));
      },
      directory: (bytes, start, end, at) => {
        const tree = this.arena.add(bytes, at);
        const meta = this.arena.add(bytes, at + 32);
        node.directories.set(binaryString(bytes, start, end), { tree, node: undefined, meta });
      },
    });
    ref.node = node;
    return node;
  }

  /** The entries of a directory that is about to be changed. */
  change(ref: TreeRef): TreeNode {
    const node = this.entries(ref);
    ref.tree = undefined;
    return node;
  }

  /** What a path (binary string, no leading slash) leads to; links are not followed. */
  find(root: TreeRef, path: string): TreeEntry | undefined {
    let directory = root;
    const names = path === "" ? [] : path.split("/");
    for (const [i, name] of names.entries()) {
      const node = this.entries(directory);
      const child = node.directories.get(name);
      if (child) {
        directory = child;
        continue;
      }
      const checksum = i === names.length - 1 ? node.files.get(name) : undefined;
      return checksum === undefined ? undefined : { kind: "file", checksum };
    }
    return { kind: "directory", directory };
  }

  /** Writes the changed dirtrees below a directory, children first; gives its checksum's number. */
  write(ref: TreeRef): number {
    if (ref.tree !== undefined) return ref.tree;
    const node = ref.node!;
    const directories = [...node.directories.keys()].sort();
    for (const name of directories) this.write(node.directories.get(name)!);
    const files = [...node.files.keys()].sort();
    const named = (names: readonly string[]) => ({
      count: names.length,
      nameLength: (index: number) => names[index]!.length,
      putName: (out: MetadataStream, index: number) =>
        out.bytes(fromBinaryString(names[index]!), 0, names[index]!.length),
    });
    const checksum = writeDirtree(this.store.metadataStream("dirtree"), {
      ...named(files),
      putChecksums: (out, index) => out.bytes(this.arena.at(node.files.get(files[index]!)!), 0, 32),
    }, {
      ...named(directories),
      putChecksums: (out, index) => {
        const child = node.directories.get(directories[index]!)!;
        out.bytes(this.arena.at(child.tree!), 0, 32);
        out.bytes(this.arena.at(child.meta), 0, 32);
      },
    });
    ref.tree = this.arena.add(checksum);
    return ref.tree;
  }
}
