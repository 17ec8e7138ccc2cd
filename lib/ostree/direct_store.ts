/**
 * Writes objects by plain system calls into libostree's own staging directory, in the form that libostree gives them; libostree opens the
 * repository, runs the transaction, holds the lock against prune, and at the end moves what lies in the staging directory and sets the refs.
 *
 * Form of a loose object: libostree `src/libostree/ostree-repo-commit.c`, `commit_loose_regfile_object` and `commit_path_final`.
 * Kept: `core.fsync`, `min-free-space`, resuming after a crash in the same boot. Conditions ({@linkcode DirectStore.serves}): bare or
 * bare-user, no parent repository, no fs-verity, no sync per object.
 */
import { Sha256 } from "../codec/sha256.ts";
import { UserError } from "../sys/errors.ts";
import * as libc from "../sys/libc.ts";
import type { Bytes } from "../sys/libc.ts";
import { putLoosePath, requireChecksum } from "./loose.ts";
import {
  fileHeader,
  type FileMeta,
  HEX,
  type ObjectType,
  ownerBytes,
  parseXattrSet,
  PLAIN_HEADER_BYTES,
  putPlainHeader,
  S_IFLNK,
} from "./objects.ts";
import type { Repo } from "./repo.ts";
import { openStagingDirectory, publishStaged } from "./staging.ts";
import { DirectMetadataStream } from "./metadata_stream.ts";
import { SeenObjects } from "./seen_objects.ts";
import type { MetadataStream, MetadataType, ObjectStore } from "./store.ts";

const OSTREEMETA = libc.cstr("user.ostreemeta");
const PIECE_BYTES = 64 << 20, SMALLEST_PIECE_BYTES = 64 << 10;

/** See the module's comment. */
export class DirectStore implements ObjectStore {
  written = 0;
  reused = 0;
  #objects: number;
  #tmp: number;
  #staging = -1;
  #bareUser: boolean;
  #sync: boolean;
  #path = new Uint8Array(80);
  #shardName = new Uint8Array(3);
  /** Shards that `objects/` has: elsewhere no object can lie, and a first pull asks nothing. */
  #oldShards = new Uint8Array(256);
  #stagedShards = new Uint8Array(256);
  #stagedCounts = new Uint32Array(256);
  /** Objects that this store has written, and once it is listed those of `objects/`. */
  #seen = new SeenObjects();
  /** The staging directory came from a pull that was cut off: what lies in it was not written by this store. */
  #resumed = false;
  #plainHeader = new Uint8Array(PLAIN_HEADER_BYTES);
  #hash = new Sha256();
  #tmpName: Bytes = libc.cstr(`tmp-bootc-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`);
  /** Commits of this transaction by checksum: they wait under these names until all else is in place. */
  #commits = new Map<string, Bytes>();
  #open = -1;
  #openMeta: FileMeta = { uid: 0, gid: 0, mode: 0, size: 0, xattrs: undefined };
  #euid = Deno.uid() ?? 0;
  #egid = Deno.gid() ?? 0;
  #reserveBytes: number;
  #unchecked = 0;
  /** How much may be written before the disk is looked at again. */
  #checkAfter = 0;

  constructor(readonly repo: Repo) {
    this.#bareUser = repo.mode === "bare-user";
    this.#objects = libc.openDirectoryAt(repo.directory, "objects");
    this.#tmp = libc.openDirectoryAt(repo.directory, "tmp");
    this.#reserveBytes = repo.minFreeSpaceBytes();
    this.#sync = repo.fsync;
  }

  /** Whether the repository is one that may be written directly. */
  static serves(repo: Repo): boolean {
    return (repo.mode === "bare" || repo.mode === "bare-user") && !repo.hasParent &&
      repo.config("core", "per-object-fsync") !== "true" &&
      (repo.config("ex-integrity", "fsverity") ?? "no") === "no" &&
      (repo.config("ex-integrity", "composefs") ?? "no") === "no" &&
      Deno.build.os === "linux";
  }

  begin(): void {
    this.repo.prepareTransaction();
    this.#staging = openStagingDirectory(this.#tmp);
    this.#resumed = false;
    this.#stagedCounts.fill(0);
    for (let i = 0; i < 256; i++) {
      const shard = this.#shard(i);
      this.#oldShards[i] = libc.existsAt(this.#objects, shard) ? 1 : 0;
      this.#stagedShards[i] = libc.existsAt(this.#staging, shard) ? 1 : 0;
      if (this.#stagedShards[i]) this.#resumed = true;
    }
    this.#checkSpace();
  }

  #shard(first: number): Bytes {
    this.#shardName[0] = HEX[2 * first]!;
    this.#shardName[1] = HEX[2 * first + 1]!;
    return this.#shardName;
  }

  /** Puts the object's path into the reused buffer, with its shard directory there; says whether the object exists. */
  #locate(checksum: Bytes, type: ObjectType): boolean {
    putLoosePath(this.#path, checksum, type);
    const first = checksum[0]!;
    const perhaps = this.#seen.perhaps(checksum);
    if (
      this.#oldShards[first] && (perhaps || this.#seen.unlisted(this.#objects, this.#oldShards)) &&
      libc.existsAt(this.#objects, this.#path)
    ) {
      return true;
    }
    if (this.#stagedShards[first]) return (perhaps || this.#resumed) && libc.existsAt(this.#staging, this.#path);
    libc.mkdirat(this.#staging, this.#shard(first), 0o775);
    this.#stagedShards[first] = 1;
    return false;
  }

  #checkSpace(): void {
    this.#unchecked = 0;
    this.#checkAfter = Infinity;
    if (this.#reserveBytes === 0) return;
    const { availableBytes } = libc.fstatvfs(this.repo.directory);
    const spare = availableBytes - this.#reserveBytes;
    this.#checkAfter = Math.min(PIECE_BYTES, Math.max(spare / 2, SMALLEST_PIECE_BYTES));
    if (spare > 0) return;
    throw new UserError(
      `Cannot write to repository "${this.repo.path}": ${availableBytes} bytes are free and min-free-space keeps ${this.#reserveBytes}`,
      { hint: "Free some space, or lower core.min-free-space-percent in the repository's config" },
    );
  }

  /**
   * Objects are made in the staging directory, whose lock is ours: in `tmp/` another process's transaction would take one for an old
   * left-over, by its time of 1970, and remove it.
   */
  #create(): number {
    return libc.openat(this.#staging, this.#tmpName, libc.O_WRONLY | libc.O_CREAT | libc.O_EXCL, 0o600);
  }

  #write(fd: number, data: Bytes): void {
    libc.writeAll(fd, data);
    this.#unchecked += data.length;
    if (this.#unchecked > this.#checkAfter) this.#checkSpace();
  }

  /** `checksum` is the one that {@linkcode DirectStore.#locate} was asked about. */
  #place(checksum: Bytes): void {
    this.#seen.add(checksum);
    this.#stagedCounts[checksum[0]!]!++;
    libc.renameat(this.#staging, this.#tmpName, this.#staging, this.#path);
    this.written++;
  }

  /** The order matters: chown drops capabilities and set-id bits, xattrs may bring capabilities. */
  #setAttributes(fd: number, meta: FileMeta): void {
    if (this.#bareUser) {
      libc.fsetxattr(fd, OSTREEMETA, ownerBytes(meta.uid, meta.gid, meta.mode, meta.xattrs));
      libc.fchmod(fd, (meta.mode & 0o775) | 0o400);
    } else {
      if (meta.uid !== this.#euid || meta.gid !== this.#egid) libc.fchown(fd, meta.uid, meta.gid);
      libc.fchmod(fd, meta.mode & 0o7777);
      if (meta.xattrs) {
        for (const [name, value] of parseXattrSet(meta.xattrs)) libc.fsetxattr(fd, terminated(name), value);
      }
    }
    libc.touchEpoch(fd);
  }

  #hashHeader(meta: FileMeta): void {
    if (meta.xattrs) {
      this.#hash.reset().update(fileHeader(meta));
    } else {
      putPlainHeader(this.#plainHeader, meta.uid, meta.gid, meta.mode);
      this.#hash.reset().update(this.#plainHeader);
    }
  }

  #digestOf(bytes: Bytes): Bytes {
    this.#hash.reset().update(bytes);
    return this.#hash.digest();
  }

  file(window: Bytes, body: number, meta: FileMeta, want?: Bytes): Bytes {
    const data = window.subarray(body, body + meta.size);
    this.#hashHeader(meta);
    if (meta.size > 0) this.#hash.update(data);
    const checksum = this.#hash.digest();
    if (want) requireChecksum(want, checksum);
    if (this.#locate(checksum, "file")) {
      this.reused++;
      return checksum;
    }
    const fd = this.#open = this.#create();
    if (meta.size > 0) this.#write(fd, data);
    this.#setAttributes(fd, meta);
    this.#closeOpen();
    this.#place(checksum);
    return checksum;
  }

  fileBegin(meta: FileMeta): void {
    this.#openMeta = { ...meta };
    this.#hashHeader(meta);
    this.#open = this.#create();
  }

  fileData(piece: Bytes): void {
    this.#hash.update(piece);
    this.#write(this.#open, piece);
  }

  fileEnd(want?: Bytes): Bytes {
    const checksum = this.#hash.digest();
    if (want) requireChecksum(want, checksum);
    if (this.#locate(checksum, "file")) {
      this.#dropOpen();
      this.reused++;
      return checksum;
    }
    this.#setAttributes(this.#open, this.#openMeta);
    this.#closeOpen();
    this.#place(checksum);
    return checksum;
  }

  #closeOpen(): void {
    libc.close(this.#open);
    this.#open = -1;
  }

  #dropOpen(): void {
    this.#closeOpen();
    libc.unlinkat(this.#staging, this.#tmpName);
  }

  symlink(target: Uint8Array, meta: FileMeta, want?: Bytes): Bytes {
    const mode = S_IFLNK | 0o777;
    const link = { ...meta, mode };
    const checksum = this.#digestOf(fileHeader(link, target));
    if (want) requireChecksum(want, checksum);
    if (this.#locate(checksum, "file")) {
      this.reused++;
      return checksum;
    }
    if (this.#bareUser) {
      const fd = this.#open = this.#create();
      this.#write(fd, terminated(target)); // libostree stores the NUL too
      libc.fsetxattr(fd, OSTREEMETA, ownerBytes(meta.uid, meta.gid, mode, meta.xattrs));
      libc.fchmod(fd, 0o644);
      libc.touchEpoch(fd);
      this.#closeOpen();
    } else {
      libc.symlinkat(terminated(target), this.#staging, this.#tmpName);
      libc.lchownat(this.#staging, this.#tmpName, meta.uid, meta.gid);
      if (meta.xattrs) {
        const path = libc.cstr(
          `/proc/self/fd/${this.#staging}/${new TextDecoder().decode(this.#tmpName.subarray(0, -1))}`,
        );
        for (const [name, value] of parseXattrSet(meta.xattrs)) libc.lsetxattr(path, terminated(name), value);
      }
    }
    this.#place(checksum);
    return checksum;
  }

  metadata(type: MetadataType, bytes: Bytes, want?: Bytes): Bytes {
    const checksum = this.#digestOf(bytes);
    if (want) requireChecksum(want, checksum);
    if (type === "commit") return this.#addCommit(checksum, bytes);
    if (this.#locate(checksum, type)) return checksum;
    const fd = this.#open = this.#create();
    this.#write(fd, bytes);
    libc.fchmod(fd, 0o644);
    this.#closeOpen();
    this.#place(checksum);
    return checksum;
  }

  #addCommit(checksum: Bytes, bytes: Bytes): Bytes {
    const name = checksum.toHex();
    if (this.has("commit", name)) return checksum;
    const tmpName = libc.cstr(`tmp-bootc-${crypto.randomUUID()}.commit`);
    this.#commits.set(name, tmpName);
    const fd = libc.openat(this.#staging, tmpName, libc.O_WRONLY | libc.O_CREAT | libc.O_EXCL, 0o644);
    try {
      this.#write(fd, bytes);
      libc.fchmod(fd, 0o644);
    } finally {
      libc.close(fd);
    }
    return checksum;
  }

  metadataStream(type: MetadataType): MetadataStream {
    return new DirectMetadataStream({
      whole: (bytes) => this.metadata(type, bytes).slice(),
      begin: () => {
        this.#hash.reset();
        this.#open = this.#create();
      },
      piece: (bytes) => this.fileData(bytes),
      end: () => this.#metadataEnd(type),
    });
  }

  #metadataEnd(type: MetadataType): Bytes {
    const checksum = this.#hash.digest().slice();
    if (this.#locate(checksum, type)) {
      this.#dropOpen();
      return checksum;
    }
    libc.fchmod(this.#open, 0o644);
    this.#closeOpen();
    this.#place(checksum);
    return checksum;
  }

  read(type: MetadataType, checksum: string): Bytes {
    const pending = type === "commit" ? this.#commits.get(checksum) : undefined;
    if (pending) return libc.readWhole(libc.openat(this.#staging, pending, libc.O_RDONLY));
    const name = libc.cstr(`${checksum.slice(0, 2)}/${checksum.slice(2)}.${type}`);
    for (const directory of [this.#staging, this.#objects]) {
      if (directory < 0 || !libc.existsAt(directory, name)) continue;
      return libc.readWhole(libc.openat(directory, name, libc.O_RDONLY | libc.O_NOFOLLOW));
    }
    throw new UserError(`Repository "${this.repo.path}" lacks the ${type} object ${checksum}`, {
      hint: "Run ostree fsck",
    });
  }

  has(type: ObjectType, checksum: string): boolean {
    if (type === "commit" && this.#commits.has(checksum)) return true;
    const name = libc.cstr(`${checksum.slice(0, 2)}/${checksum.slice(2)}.${type}`);
    return libc.existsAt(this.#objects, name) || (this.#staging >= 0 && libc.existsAt(this.#staging, name));
  }

  hasFileAt(bytes: Bytes, at: number): boolean {
    putLoosePath(this.#path, bytes.subarray(at, at + 32), "file");
    return (this.#staging >= 0 && libc.existsAt(this.#staging, this.#path)) || libc.existsAt(this.#objects, this.#path);
  }

  setRef(ref: string, commit: string | null): void {
    this.repo.setTransactionRef(ref, commit);
  }

  /**
   * Commit point: everything is synced, then moved into `objects/`, commits last, then libostree sets the refs. A kill or a power cut in
   * between leaves complete objects that nothing refers to, and no commit without its tree.
   */
  async commit(): Promise<void> {
    if (this.#sync) await libc.syncfs(this.repo.directory);
    const changed = publishStaged({
      staging: this.#staging,
      objects: this.#objects,
      stagedShards: this.#stagedShards,
      oldShards: this.#oldShards,
      stagedCounts: this.#stagedCounts,
    });
    for (const [checksum, tmpName] of this.#commits) {
      libc.mkdirat(this.#objects, libc.cstr(checksum.slice(0, 2)), 0o775);
      libc.renameat(this.#staging, tmpName, this.#objects, commitPath(checksum));
      this.#commits.delete(checksum);
    }
    if (this.#sync) await (changed ? libc.syncfs(this.repo.directory) : libc.fsync(this.#objects));
    libc.close(this.#staging);
    this.#staging = -1;
    await this.repo.commitTransaction();
  }

  abort(): void {
    if (this.#open >= 0) this.#dropOpen();
    for (const tmpName of this.#commits.values()) libc.unlinkat(this.#staging, tmpName);
    this.#commits.clear();
    if (this.#staging >= 0) libc.close(this.#staging);
    this.#staging = -1;
    this.repo.abortTransaction(); // also one that failed to begin or to end
  }

  [Symbol.dispose](): void {
    this.abort();
    libc.close(this.#objects);
    libc.close(this.#tmp);
  }
}

function commitPath(checksum: string): Bytes {
  return libc.cstr(`${checksum.slice(0, 2)}/${checksum.slice(2)}.commit`);
}

function terminated(bytes: Uint8Array): Bytes {
  const out = new Uint8Array(bytes.length + 1);
  out.set(bytes);
  return out;
}
