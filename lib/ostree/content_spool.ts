/** A large file object for repositories that take no content piece by piece (archive): it waits in a temporary file of the repository. */
import { Sha256 } from "../codec/sha256.ts";
import * as libc from "../sys/libc.ts";
import type { Bytes } from "../sys/libc.ts";
import { checked, gio, given, ownedObject } from "./glib.ts";
import { ostree } from "./libostree.ts";
import { checksumArgument } from "./names.ts";
import { fileHeader, type FileMeta } from "./objects.ts";
import type { Repo } from "./repo.ts";

/**
 * Used like a `ContentWriter`. Disposing removes the temporary file; a power cut leaves it in `tmp/`, where libostree expires it after a day.
 */
export class ContentSpool implements Disposable {
  #hash = new Sha256();
  #name: string | undefined = `tmp-bootc-${crypto.randomUUID()}`;
  #tmp: number;
  #fd: number;
  #bytes = 0;
  /** With the header. */
  #size: number;

  /** @throws {LibcError} */
  constructor(readonly repo: Repo, meta: FileMeta) {
    this.#size = meta.size;
    this.#tmp = libc.openDirectoryAt(repo.directory, "tmp");
    this.#fd = libc.openat(this.#tmp, libc.cstr(this.#name!), libc.O_WRONLY | libc.O_CREAT | libc.O_EXCL, 0o600);
    const header = fileHeader(meta);
    this.#put(header);
    this.#size += header.length;
  }

  #put(piece: Bytes): void {
    this.#hash.update(piece);
    libc.writeAll(this.#fd, piece);
    this.#bytes += piece.length;
  }

  /** The next piece of the body. @throws {LibcError} when the disk does not take it */
  write(piece: Bytes): void {
    this.#put(piece);
  }

  /** Gives the object to the repository, and its checksum to the caller. @throws {RangeError} @throws {GlibError} */
  finish(): string {
    if (this.#bytes !== this.#size) throw new RangeError(`A file of ${this.#size} bytes ends after ${this.#bytes}`);
    const checksum = this.#hash.digest().toHex();
    if (!this.repo.hasObject("file", checksum)) this.#give(checksum);
    this[Symbol.dispose]();
    return checksum;
  }

  #give(checksum: string): void {
    const path = libc.cstr(`/proc/self/fd/${this.#tmp}/${this.#name}`);
    using file = ownedObject(gio().g_file_new_for_path(path));
    using stream = ownedObject(given((error) => gio().g_file_read(file.pointer, null, error)));
    const name = checksumArgument(checksum);
    const size = BigInt(this.#bytes);
    checked((error) =>
      ostree().ostree_repo_write_content_trusted(this.repo.handle, name, stream.pointer, size, null, error)
    );
  }

  [Symbol.dispose](): void {
    if (this.#name === undefined) return;
    libc.unlinkat(this.#tmp, libc.cstr(this.#name));
    libc.close(this.#fd);
    libc.close(this.#tmp);
    this.#name = undefined;
  }
}
