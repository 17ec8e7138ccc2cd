/** Looking into a stored commit without checking it out. */
import type { Bytes } from "../sys/libc.ts";
import { FileObject, readFileObject } from "./file_object.ts";
import { displayPath } from "./objects.ts";
import type { Repo } from "./repo.ts";
import { type TreeEntry, type TreeRef, Trees, type TreeStore } from "./tree.ts";

/** A name in a directory of a commit; whether a file is a symlink is not looked at. */
export interface ListedName {
  readonly name: string;
  readonly kind: "file" | "directory";
}

/** The tree of one commit. */
export class CommitTree {
  #trees: Trees<TreeStore>;
  #root: TreeRef;

  /** @throws {GlibError} when there is no such commit */
  constructor(readonly repo: Repo, checksum: string) {
    const { rootTree, rootMeta } = repo.loadCommit(checksum);
    this.#trees = new Trees<TreeStore>({
      read: (type, object) => repo.loadMetadata(type, object),
      metadataStream: () => {
        throw new TypeError("This tree is only looked at");
      },
    });
    this.#root = this.#trees.root(rootTree, rootMeta);
  }

  #find(path: string): TreeEntry | undefined {
    return this.#trees.find(this.#root, path);
  }

  /** The names in a directory; undefined where there is none at this path (without leading slash). */
  list(path: string): ListedName[] | undefined {
    return this.names(path)?.map(({ name, kind }) => ({ name: displayPath(name), kind }));
  }

  /** The same with names as binary strings, which paths are made of. */
  names(path: string): ListedName[] | undefined {
    const found = this.#find(path);
    if (found?.kind !== "directory") return undefined;
    const { files, directories } = this.#trees.entries(found.directory);
    return [
      ...[...files.keys()].map((name) => ({ name, kind: "file" as const })),
      ...[...directories.keys()].map((name) => ({ name, kind: "directory" as const })),
    ];
  }

  /** A regular file, open until the caller disposes of it; undefined where there is none. @throws {GlibError} */
  openFile(path: string): FileObject | undefined {
    const found = this.#find(path);
    if (found?.kind !== "file") return undefined;
    const file = new FileObject(this.repo, this.#trees.arena.hex(found.checksum));
    if (file.target === undefined) return file;
    file[Symbol.dispose]();
    return undefined;
  }

  /** Where a symlink leads, as it is written; undefined where there is none. @throws {GlibError} */
  readLink(path: string): string | undefined {
    const found = this.#find(path);
    if (found?.kind !== "file") return undefined;
    using file = new FileObject(this.repo, this.#trees.arena.hex(found.checksum));
    return file.target && new TextDecoder().decode(file.target);
  }

  /** The content of a regular file; undefined where there is none. @throws {UserError} when it is larger than `limitBytes` */
  async readFile(path: string, limitBytes: number): Promise<Bytes | undefined> {
    const found = this.#find(path);
    return found?.kind === "file"
      ? await readFileObject(this.repo, this.#trees.arena.hex(found.checksum), limitBytes)
      : undefined;
  }
}
