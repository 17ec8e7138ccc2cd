/** An archive on its way out, in pieces of a fixed size whatever its entries are. */
import { type TarHeader, tarHeader } from "../codec/tar_write.ts";
import { tarEnd, tarPadding } from "../codec/tar_write.ts";
import { type Bytes, read } from "../sys/libc.ts";

/** Takes a piece of the archive before it returns; the buffer is used again. */
export type WriteBytes = (piece: Bytes) => void;

const BUFFER_BYTES = 256 << 10;

/** Gathers headers and bodies. */
export class TarOutput {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #write: WriteBytes;
  #used = 0;

  constructor(write: WriteBytes) {
    this.#write = write;
  }

  /** Adds the header of an entry, whose body follows. @throws {RangeError} on what a header cannot hold */
  header(entry: TarHeader): void {
    this.#append(tarHeader(entry));
  }

  /** Adds up to a buffer's worth from an open file; gives how many bytes, 0 at its end. @throws {LibcError} */
  bodyFrom(fd: number, limitBytes: number): number {
    if (this.#used === BUFFER_BYTES) this.#flush();
    const length = read(fd, this.#buffer.subarray(this.#used, this.#used + limitBytes));
    this.#used += length;
    return length;
  }

  /** Fills up to the next header, behind a body of so many bytes. */
  padding(sizeBytes: number): void {
    this.#append(tarPadding(sizeBytes));
  }

  /** Ends the archive; all of it is written then. */
  end(): void {
    this.#append(tarEnd);
    this.#flush();
  }

  #append(bytes: Bytes): void {
    for (let rest = bytes; rest.length > 0;) {
      if (this.#used === BUFFER_BYTES) this.#flush();
      const piece = rest.subarray(0, BUFFER_BYTES - this.#used);
      this.#buffer.set(piece, this.#used);
      this.#used += piece.length;
      rest = rest.subarray(piece.length);
    }
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}
