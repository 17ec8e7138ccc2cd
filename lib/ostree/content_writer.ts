/** Writing one large file object piece by piece, so that its body never has to be in memory. */
import type { Bytes } from "../sys/libc.ts";
import { checked, gio, given, type Handle, type Owned, ownedObject, takeText } from "./glib.ts";
import { ostree } from "./libostree.ts";

/** A regular file before its body. */
export interface ContentHeader {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits; the file type is implied. */
  readonly mode: number;
  /** Bytes of the body. */
  readonly size: number;
  /** Serialised `a(ayay)`, sorted by name; without it there are none. */
  readonly xattrs?: Bytes | undefined;
}

/**
 * A file object on its way into a repository: a temporary file that nobody sees until {@linkcode ContentWriter.finish}. Disposing of an
 * unfinished one removes it; a power cut leaves it for the next clean-up of the repository.
 */
export class ContentWriter implements Disposable {
  #writer: Owned | undefined;
  #written = 0;
  readonly #size: number;

  /** Made by `Repo.openContent()`; takes the writer. */
  constructor(writer: Handle, size: number) {
    this.#writer = ownedObject(writer);
    this.#size = size;
  }

  #open(): Handle {
    if (this.#writer === undefined) throw new TypeError("This content writer is finished");
    return this.#writer.pointer;
  }

  /**
   * The next piece of the body; the memory may be used again at once.
   * @throws {RangeError} when there is more than was announced
   * @throws {GlibError} when the disk does not take it
   */
  write(piece: Bytes): void {
    this.#written += piece.length;
    if (this.#written > this.#size) throw new RangeError(`A file of ${this.#size} bytes has more than that`);
    const size = BigInt(piece.length);
    checked((error) => gio().g_output_stream_write_all(this.#open(), piece, size, null, null, error));
  }

  /**
   * Gives the object its name, and its checksum to the caller: the commit point, where no transaction is open; else the transaction's.
   * @throws {RangeError} when the body is shorter than announced
   * @throws {GlibError} when the checksum is not the expected one
   */
  finish(): string {
    if (this.#written !== this.#size) {
      throw new RangeError(`A file of ${this.#size} bytes ends after ${this.#written}`);
    }
    const checksum = given((error) => ostree().ostree_content_writer_finish(this.#open(), null, error));
    this[Symbol.dispose]();
    return takeText(checksum)!;
  }

  /** Drops what was written so far. */
  abort(): void {
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#writer?.[Symbol.dispose]();
    this.#writer = undefined;
  }
}
