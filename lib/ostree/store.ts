/**
 * Writing a layer's objects into a repository. Two writers stand behind one interface and leave identical repositories: through libostree's
 * API (any mode, any version), and directly into its staging directory (bare and bare-user repositories; 2 to 3 times as fast).
 */
import type { Bytes } from "../sys/libc.ts";
import type { FileMeta, ObjectType } from "./objects.ts";
import type { Repo } from "./repo.ts";
import { ApiStore } from "./api_store.ts";
import { DirectStore } from "./direct_store.ts";

/** The metadata objects, which are written whole or streamed. */
export type MetadataType = Exclude<ObjectType, "file">;

/** Writes objects in libostree's transactions; one object at a time. Checksums are 32 bytes in a buffer that the next call reuses. */
export interface ObjectStore extends Disposable {
  readonly repo: Repo;
  /** Objects that this store has written, and those that were there already. */
  readonly written: number;
  readonly reused: number;
  /** Opens a transaction. A power cut before {@linkcode commit} leaves objects in `tmp/` only, which libostree resumes or expires. */
  begin(): void;
  /** Writes a regular file whose content is `window[body, body + meta.size)`. @throws {Error} when `want` is not its checksum */
  file(window: Bytes, body: number, meta: FileMeta, want?: Bytes): Bytes;
  /** Begins a larger regular file. */
  fileBegin(meta: FileMeta): void;
  fileData(piece: Bytes): void;
  fileEnd(want?: Bytes): Bytes;
  /** Writes a symlink; the mode is always 0120777, whatever an archive says. */
  symlink(target: Uint8Array, meta: FileMeta, want?: Bytes): Bytes;
  metadata(type: MetadataType, bytes: Bytes, want?: Bytes): Bytes;
  /** A metadata object that may be too large for memory's sake: written piece by piece. */
  metadataStream(type: MetadataType): MetadataStream;
  /** Reads a metadata object, also one of this transaction. @throws {Error} when it is not there */
  read(type: MetadataType, checksum: string): Bytes;
  has(type: ObjectType, checksum: string): boolean;
  /** Whether the file object is there whose 32 bytes of checksum stand at `at`. */
  hasFileAt(bytes: Bytes, at: number): boolean;
  /** Sets a ref with the transaction; null removes it. */
  setRef(ref: string, commit: string | null): void;
  /** Commit point of everything since {@linkcode begin}: synced, renamed, then the refs. */
  commit(): Promise<void>;
  /** Gives the transaction up; an object that was begun is removed. Harmless without one. */
  abort(): void;
}

/** A metadata object in the making. */
export interface MetadataStream {
  bytes(source: Uint8Array, start: number, length: number): void;
  /** A little-endian number of `width` bytes. */
  number(value: number, width: number): void;
  /** Its checksum, a copy. */
  end(): Bytes;
}

/** How to write. */
export interface StoreOptions {
  /** False: always through libostree's API. */
  readonly direct?: boolean;
}

/** Opens the fastest writer whose conditions this repository meets. */
export function openStore(repo: Repo, options: StoreOptions = {}): ObjectStore {
  if (options.direct !== false && DirectStore.serves(repo)) return new DirectStore(repo);
  return new ApiStore(repo);
}
