/** Writes objects through libostree's API: for every repository mode, and where the direct writer's conditions are not met. */
import { Sha256 } from "../codec/sha256.ts";
import type { Bytes } from "../sys/libc.ts";
import { requireChecksum } from "./loose.ts";
import { ContentSpool } from "./content_spool.ts";
import type { ContentWriter } from "./content_writer.ts";
import { keepFromPruning } from "./repo_lock.ts";
import { fileHeader, type FileMeta, type ObjectType, S_IFLNK } from "./objects.ts";
import type { Repo } from "./repo.ts";
import type { MetadataStream, MetadataType, ObjectStore } from "./store.ts";

const NO_CONTENT: Bytes = new Uint8Array(0);

/** See the module's comment. */
export class ApiStore implements ObjectStore {
  written = 0;
  reused = 0;
  #hash = new Sha256();
  #lock: Disposable | undefined;
  /** Commits by checksum, and refs: they are written when all else is in place. */
  #commits = new Map<string, Bytes>();
  #refs = new Map<string, string | null>();
  #writer: ContentWriter | ContentSpool | undefined;

  constructor(readonly repo: Repo) {}

  begin(): void {
    this.#lock = keepFromPruning(this.repo);
    this.repo.prepareTransaction();
  }

  #put(header: Bytes, body: Bytes, want: Bytes | undefined): Bytes {
    this.#hash.reset().update(header);
    if (body.length > 0) this.#hash.update(body);
    const checksum = this.#hash.digest();
    if (want) requireChecksum(want, checksum);
    const name = checksum.toHex();
    if (this.repo.hasObject("file", name)) {
      this.reused++;
    } else {
      // hashed just now: libostree need not do it again
      this.repo.writeContentTrusted(name, header, body);
      this.written++;
    }
    return checksum;
  }

  file(window: Bytes, body: number, meta: FileMeta, want?: Bytes): Bytes {
    return this.#put(fileHeader(meta), window.subarray(body, body + meta.size), want);
  }

  fileBegin(meta: FileMeta): void {
    if (this.repo.mode === "archive") {
      this.#writer = new ContentSpool(this.repo, meta);
      return;
    }
    const { xattrs, ...owner } = meta;
    this.#writer = this.repo.openContent(xattrs ? { ...owner, xattrs } : owner);
  }

  fileData(piece: Bytes): void {
    this.#writer!.write(piece);
  }

  fileEnd(want?: Bytes): Bytes {
    const checksum = Uint8Array.fromHex(this.#writer!.finish());
    this.#writer = undefined;
    if (want) requireChecksum(want, checksum);
    this.written++;
    return checksum;
  }

  symlink(target: Uint8Array, meta: FileMeta, want?: Bytes): Bytes {
    return this.#put(fileHeader({ ...meta, mode: S_IFLNK | 0o777 }, target), NO_CONTENT, want);
  }

  metadata(type: MetadataType, bytes: Bytes, want?: Bytes): Bytes {
    this.#hash.reset().update(bytes);
    const checksum = this.#hash.digest();
    if (want) requireChecksum(want, checksum);
    const name = checksum.toHex();
    if (this.has(type, name)) return checksum;
    if (type === "commit") this.#commits.set(name, bytes.slice());
    else this.repo.writeMetadata(type, bytes, name);
    return checksum;
  }

  metadataStream(type: MetadataType): MetadataStream {
    let buffer = new Uint8Array(4096);
    let used = 0;
    const room = (length: number) => {
      if (used + length <= buffer.length) return;
      const larger = new Uint8Array(Math.max(buffer.length * 2, used + length));
      larger.set(buffer.subarray(0, used));
      buffer = larger;
    };
    return {
      bytes: (source, start, length) => {
        room(length);
        buffer.set(source.subarray(start, start + length), used);
        used += length;
      },
      number: (value, width) => {
        room(width);
        for (let i = 0; i < width; i++) {
          buffer[used++] = value & 255;
          value = Math.floor(value / 256);
        }
      },
      end: () => this.metadata(type, buffer.slice(0, used)).slice(),
    };
  }

  read(type: MetadataType, checksum: string): Bytes {
    const pending = type === "commit" ? this.#commits.get(checksum) : undefined;
    return pending?.slice() ?? this.repo.loadMetadata(type, checksum);
  }

  has(type: ObjectType, checksum: string): boolean {
    return (type === "commit" && this.#commits.has(checksum)) || this.repo.hasObject(type, checksum);
  }

  hasFileAt(bytes: Bytes, at: number): boolean {
    return this.repo.hasObject("file", bytes.subarray(at, at + 32).toHex());
  }

  setRef(ref: string, commit: string | null): void {
    this.#refs.set(ref, commit);
  }

  /**
   * Commit point: libostree moves objects in any order, and a kill in between could leave a commit without its tree. So commits and refs get
   * a second transaction, with nothing pruned between the two.
   */
  async commit(): Promise<void> {
    await this.repo.commitTransaction();
    this.repo.prepareTransaction();
    for (const [checksum, bytes] of this.#commits) this.repo.writeMetadata("commit", bytes, checksum);
    for (const [ref, commit] of this.#refs) this.repo.setTransactionRef(ref, commit);
    await this.repo.commitTransaction();
    this.#end();
  }

  #end(): void {
    this.#commits.clear();
    this.#refs.clear();
    this.#lock?.[Symbol.dispose]();
    this.#lock = undefined;
  }

  abort(): void {
    this.#writer?.[Symbol.dispose]();
    this.#writer = undefined;
    this.repo.abortTransaction();
    this.#end();
  }

  [Symbol.dispose](): void {
    this.abort();
  }
}
