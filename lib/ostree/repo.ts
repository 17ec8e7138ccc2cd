/** An ostree repository: objects, refs, transactions. Everything goes through libostree, which keeps its locks and fsync policy. */
import { AT_FDCWD, type Bytes, cstr } from "../sys/libc.ts";
import { UserError } from "../sys/errors.ts";
import { encode, Variant } from "../codec/gvariant.ts";
import { checksumArgument, refArgument } from "./names.ts";
import { type Commit, COMMIT_TYPE, decodeCommit } from "./commit.ts";
import { type ContentHeader, ContentWriter } from "./content_writer.ts";
import {
  cancellable,
  checked,
  checkedAsync,
  ErrorSlot,
  given,
  GlibError,
  type Handle,
  keyFileValue,
  memoryStream,
  OutPointer,
  type Owned,
  ownedObject,
  takeChecksum,
  takeStringTable,
  takeText,
  takeVariant,
  variant,
} from "./glib.ts";
import { ostree } from "./libostree.ts";
import { type ObjectType, S_IFREG } from "./objects.ts";

/** How a repository stores files; the names of `core.mode`. */
export type RepoMode = "bare" | "archive" | "bare-user" | "bare-user-only" | "bare-split-xattrs";

/** OstreeRepoMode, by number. */
const MODES: readonly RepoMode[] = ["bare", "archive", "bare-user", "bare-user-only", "bare-split-xattrs"];

/** Those that are one GVariant. */
export type MetadataType = Exclude<ObjectType, "file">;

/** OstreeObjectType */
const OBJECT_NUMBERS: Readonly<Record<ObjectType, number>> = { file: 1, dirtree: 2, dirmeta: 3, commit: 4 };
const VARIANT_TYPES: Readonly<Record<MetadataType, string>> = {
  dirtree: "(a(say)a(sayay))",
  dirmeta: "(uuua(ayay))",
  commit: COMMIT_TYPE,
};
const XATTRS_TYPE = "a(ayay)";

/** What {@linkcode Repo.prune} may do. */
export interface PruneOptions {
  /** Count only, remove nothing. */
  readonly dryRun?: boolean;
  /** How many parents of a ref's commit are kept as well; -1, as `ostree prune` does, keeps them all. */
  readonly depth?: number;
  /** Given, the pruning stops; what is gone by then was not needed. */
  readonly signal?: AbortSignal;
}

/** What {@linkcode Repo.prune} found. */
export interface PruneResult {
  readonly objectsTotal: number;
  readonly objectsPruned: number;
  readonly freedBytes: number;
}

/** A repository that is open; disposing of it aborts an open transaction. */
export class Repo implements Disposable {
  readonly #repo: Owned;
  #inTransaction = false;
  readonly mode: RepoMode;

  private constructor(repo: Owned, readonly path: string) {
    this.#repo = repo;
    const mode = MODES[ostree().ostree_repo_get_mode(repo.pointer)];
    if (mode === undefined) throw new UserError(`The repository "${path}" has a mode that is not known here`);
    this.mode = mode;
  }

  /**
   * Opens the repository at a path.
   * @throws {UserError} when there is none, or libostree cannot read it
   */
  static open(path: string): Repo {
    const error = new ErrorSlot();
    const repo = ostree().ostree_repo_open_at(AT_FDCWD, cstr(path), null, error.buffer);
    if (repo === null) {
      throw new UserError(`Cannot open the ostree repository "${path}"`, {
        cause: error.take(),
        hint: "Check that the path is right and that you may read it",
      });
    }
    return new Repo(ownedObject(repo), path);
  }

  /** For lib/ostree: a repository that libostree opened already; takes the reference. */
  static fromHandle(repo: Owned, path: string): Repo {
    return new Repo(repo, path);
  }

  /** For lib/ostree: borrowed. */
  get handle(): Handle {
    return this.#repo.pointer;
  }

  /** Descriptor of the repository's directory; libostree's, never closed by a caller. */
  get directory(): number {
    return ostree().ostree_repo_get_dfd(this.handle);
  }

  /** Another repository stands behind this one (`core.parent`): its objects are found here too, but not as files below our path. */
  get hasParent(): boolean {
    return ostree().ostree_repo_get_parent(this.handle) !== null;
  }

  /** A value of the repository's `config`, as libostree read it on opening. */
  config(group: string, key: string): string | undefined {
    return keyFileValue(ostree().ostree_repo_get_config(this.handle), group, key);
  }

  /** `core.fsync`: false where objects need not reach the disk before they count as written. */
  get fsync(): boolean {
    return this.config("core", "fsync")?.trim() !== "false";
  }

  /**
   * Bytes that libostree refuses to fill (`core.min-free-space-*`; 3 % of the disk without a setting).
   * @throws {GlibError} when the setting cannot be read
   */
  minFreeSpaceBytes(): number {
    const bytes = new BigUint64Array(1);
    checked((error) => ostree().ostree_repo_get_min_free_space_bytes(this.handle, bytes, error));
    return Number(bytes[0]);
  }

  /**
   * Opens the one transaction this process may have here: objects go to a staging directory until {@linkcode commitTransaction}.
   * @throws {GlibError} when the repository is locked or not writable
   */
  prepareTransaction(): void {
    if (this.#inTransaction) throw new TypeError("The repository has an open transaction already");
    this.#inTransaction = true;
    try {
      checked((error) => ostree().ostree_repo_prepare_transaction(this.handle, null, null, error));
    } catch (error) {
      this.abortTransaction();
      throw error;
    }
  }

  /**
   * Commit point of all that was written since {@linkcode prepareTransaction}: syncs, renames the objects into place, then writes refs.
   * A power cut before the refs leaves objects that the next prune removes. After a failure the transaction is still to be aborted.
   * @throws {GlibError}
   */
  async commitTransaction(): Promise<void> {
    this.#needTransaction();
    await checkedAsync((error) => ostree().ostree_repo_commit_transaction(this.handle, null, null, error));
    this.#inTransaction = false;
  }

  /** Drops what the transaction wrote; without an open one this does nothing. */
  abortTransaction(): void {
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    checked((error) => ostree().ostree_repo_abort_transaction(this.handle, null, error));
  }

  #needTransaction(): void {
    if (!this.#inTransaction) throw new TypeError("The repository has no open transaction");
  }

  /** Lets a ref point at a commit when the transaction is committed; `null` removes it. */
  setTransactionRef(ref: string, checksum: string | null): void {
    this.#needTransaction();
    const target = checksum === null ? null : checksumArgument(checksum);
    ostree().ostree_repo_transaction_set_ref(this.handle, null, refArgument(ref), target);
  }

  /** Lets a ref point at a commit at once, its file's rename being the commit point; `null` removes it. @throws {GlibError} */
  setRef(ref: string, checksum: string | null): void {
    const target = checksum === null ? null : checksumArgument(checksum);
    checked((error) =>
      ostree().ostree_repo_set_ref_immediate(this.handle, null, refArgument(ref), target, null, error)
    );
  }

  /**
   * The commit a ref points at, as the open transaction will have it, also through the parent repository; undefined without such a ref.
   * @throws {GlibError} when the text can be no ref
   */
  resolve(ref: string): string | undefined {
    const out = new OutPointer();
    checked((error) => ostree().ostree_repo_resolve_rev(this.handle, cstr(ref), 1, out.buffer, error));
    return takeText(out.value);
  }

  /** Local refs at or below `prefix` (all without one), with their whole names, and their commits. @throws {GlibError} */
  listRefs(prefix?: string): Map<string, string> {
    const EXCLUDE_REMOTES = 2, EXCLUDE_MIRRORS = 4;
    const below = prefix === undefined ? null : refArgument(prefix.replace(/\/$/, ""));
    const out = new OutPointer();
    checked((error) =>
      ostree().ostree_repo_list_refs_ext(
        this.handle,
        below,
        out.buffer,
        EXCLUDE_REMOTES | EXCLUDE_MIRRORS,
        null,
        error,
      )
    );
    return takeStringTable(out.value);
  }

  /** Says whether a commit's objects are known to be incomplete: a mark beside the commit, not in it. @throws {GlibError} */
  markCommitPartial(checksum: string, partial: boolean): void {
    const name = checksumArgument(checksum);
    checked((error) => ostree().ostree_repo_mark_commit_partial(this.handle, name, partial ? 1 : 0, error));
  }

  /** The mark of {@linkcode markCommitPartial}. @throws {GlibError} also when there is no such commit */
  isCommitPartial(checksum: string): boolean {
    const PARTIAL = 1;
    const name = checksumArgument(checksum);
    const out = new OutPointer(), state = new Uint32Array(1);
    checked((error) => ostree().ostree_repo_load_commit(this.handle, name, out.buffer, state, error));
    takeVariant(out.value);
    return (state[0]! & PARTIAL) !== 0;
  }

  /** Also true for an object of the open transaction, or of the parent repository. @throws {GlibError} */
  hasObject(type: ObjectType, checksum: string): boolean {
    const found = new Int32Array(1);
    const name = checksumArgument(checksum);
    checked((error) => ostree().ostree_repo_has_object(this.handle, OBJECT_NUMBERS[type], name, found, null, error));
    return found[0] !== 0;
  }

  /** The serialised bytes of a metadata object. @throws {GlibError} with `notFound` when it is not there */
  loadMetadata(type: MetadataType, checksum: string): Bytes {
    const out = new OutPointer();
    const name = checksumArgument(checksum);
    checked((error) => ostree().ostree_repo_load_variant(this.handle, OBJECT_NUMBERS[type], name, out.buffer, error));
    return takeVariant(out.value);
  }

  /** A commit object, taken apart. @throws {GlibError} with `notFound` when it is not there */
  loadCommit(checksum: string): Commit {
    return decodeCommit(this.loadMetadata("commit", checksum));
  }

  /**
   * Writes a metadata object and gives its checksum. Bytes that are no GVariant of the type in normal form are brought into it first.
   * @throws {GlibError} when the object is not the expected one
   */
  writeMetadata(type: MetadataType, bytes: Bytes, expected?: string): string {
    using value = variant(VARIANT_TYPES[type], bytes);
    const name = expected === undefined ? null : checksumArgument(expected);
    const out = new OutPointer();
    checked((error) =>
      ostree().ostree_repo_write_metadata(
        this.handle,
        OBJECT_NUMBERS[type],
        name,
        value.pointer,
        out.buffer,
        null,
        error,
      )
    );
    return takeChecksum(out.value);
  }

  /**
   * Writes a file object whose checksum the caller has worked out over `header` (with its length prefix) and `body`: nothing is hashed.
   * @throws {GlibError}
   */
  writeContentTrusted(checksum: string, header: Bytes, body: Bytes): void {
    using stream = memoryStream([header, body]);
    checked((error) =>
      ostree().ostree_repo_write_content_trusted(
        this.handle,
        checksumArgument(checksum),
        stream.pointer,
        BigInt(header.length + body.length),
        null,
        error,
      )
    );
  }

  /**
   * Begins a regular file whose body comes in pieces; see {@linkcode ContentWriter}. Not for archive repositories.
   * @throws {GlibError} also when the file would fill the disk past its reserve
   */
  openContent(header: ContentHeader, expected?: string): ContentWriter {
    using xattrs = variant(XATTRS_TYPE, header.xattrs ?? new Uint8Array(0));
    const name = expected === undefined ? null : checksumArgument(expected);
    const { uid, gid } = header;
    const mode = S_IFREG | (header.mode & 0o7777);
    const size = BigInt(header.size);
    const writer = given((error) =>
      ostree().ostree_repo_write_regfile(this.handle, name, uid, gid, mode, size, xattrs.pointer, error)
    );
    return new ContentWriter(writer, header.size);
  }

  /** Writes a symlink object and gives its checksum; `target` is bytes without a NUL. @throws {GlibError} */
  writeSymlink(
    link: { uid: number; gid: number; target: Bytes; xattrs?: Bytes | undefined },
    expected?: string,
  ): string {
    if (link.target.includes(0)) throw new TypeError("A NUL byte in a symlink's target");
    const target = new Uint8Array(link.target.length + 1);
    target.set(link.target);
    using xattrs = variant(XATTRS_TYPE, link.xattrs ?? new Uint8Array(0));
    const name = expected === undefined ? null : checksumArgument(expected);
    const checksum = given((error) =>
      ostree().ostree_repo_write_symlink(this.handle, name, link.uid, link.gid, xattrs.pointer, target, null, error)
    );
    return takeText(checksum)!;
  }

  /** The serialised `a{sv}` that stands beside a commit and is no part of its checksum; undefined without one. @throws {GlibError} */
  readDetachedMetadata(checksum: string): Bytes | undefined {
    const out = new OutPointer();
    checked((error) =>
      ostree().ostree_repo_read_commit_detached_metadata(
        this.handle,
        checksumArgument(checksum),
        out.buffer,
        null,
        error,
      )
    );
    const metadata = out.value === null ? undefined : takeVariant(out.value);
    // Removing leaves an empty file behind.
    return metadata?.length === 0 ? undefined : metadata;
  }

  /** Replaces (a rename), or with `null` removes, what stands beside a commit. @throws {GlibError} */
  writeDetachedMetadata(checksum: string, metadata: Bytes | null): void {
    using value = metadata === null ? undefined : variant("a{sv}", metadata);
    checked((error) =>
      ostree().ostree_repo_write_commit_detached_metadata(
        this.handle,
        checksumArgument(checksum),
        value?.pointer ?? null,
        null,
        error,
      )
    );
  }

  /**
   * Removes every object that no ref needs, under the repository's exclusive lock. Safe to repeat and to interrupt.
   * @throws {GlibError} also when another process writes to the repository
   */
  async prune(options: PruneOptions = {}): Promise<PruneResult> {
    const NO_PRUNE = 1, REFS_ONLY = 2;
    const total = new Int32Array(1), pruned = new Int32Array(1), size = new BigUint64Array(1);
    using cancel = options.signal && cancellable(options.signal);
    const flags = REFS_ONLY | (options.dryRun ? NO_PRUNE : 0);
    const depth = options.depth ?? -1;
    const stop = cancel?.pointer ?? null;
    await checkedAsync((error) =>
      ostree().ostree_repo_prune(this.handle, flags, depth, total, pruned, size, stop, error)
    );
    return { objectsTotal: total[0]!, objectsPruned: pruned[0]!, freedBytes: Number(size[0]) };
  }

  /**
   * Brings whole commits over from another local repository, hardlinked where both are on one file system and of one mode, in a
   * transaction of its own: its end is the commit point. Detached metadata comes along; refs are left to the caller.
   * @throws {GlibError}
   */
  async pullLocal(from: Repo, commits: readonly string[], options: { signal?: AbortSignal } = {}): Promise<void> {
    commits.forEach(checksumArgument);
    const refs = new Variant("as", commits), yes = new Variant("b", true);
    using value = variant("a{sv}", encode("a{sv}", [["refs", refs], ["disable-verify-bindings", yes]]));
    using cancel = options.signal && cancellable(options.signal);
    const url = cstr("file://" + encodeURI(await Deno.realPath(from.path)));
    const stop = cancel?.pointer ?? null;
    await checkedAsync((error) =>
      ostree().ostree_repo_pull_with_options(this.handle, url, value.pointer, null, stop, error)
    );
  }

  [Symbol.dispose](): void {
    try {
      this.abortTransaction();
    } catch (error) {
      // What a transaction leaves behind is removed by the next one; the first failure must stay visible.
      if (!(error instanceof GlibError)) throw error;
    }
    this.#repo[Symbol.dispose]();
  }
}
