/**
 * Names in a cpio archive of the form that Linux takes as initramfs, without their content. Source: the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst.
 */
import type { Bytes } from "../sys/libc.ts";

const HEADER_BYTES = 110;
/** Of the name, with its NUL. */
const NAMESIZE_AT = 94;
const FILESIZE_AT = 54;
/** Linux's own limit of a path. */
const NAME_MAX_BYTES = 4096;

const latin1 = new TextDecoder("latin1");

function isMagic(header: Bytes): boolean {
  const magic = latin1.decode(header.subarray(0, 6));
  return magic === "070701" || magic === "070702";
}

function hexField(header: Bytes, at: number): number {
  const digits = latin1.decode(header.subarray(at, at + 8));
  return /^[0-9A-Fa-f]{8}$/.test(digits) ? parseInt(digits, 16) : -1;
}

/** Takes archives one after another, with zeros between them, in pieces of any size. */
export class CpioNames {
  readonly #onName: (name: string) => void;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #name: Bytes = new Uint8Array(0);
  /** Bytes of header or name that are there. */
  #have = 0;
  /** Bytes of content and padding still to pass over. */
  #skip = 0;
  #fileSize = 0;
  #inName = false;

  /** `onName` gets names as binary strings. */
  constructor(onName: (name: string) => void) {
    this.#onName = onName;
  }

  /** Nothing of an entry is half-read: where an archive may end, or something else begin. */
  get betweenEntries(): boolean {
    return this.#skip === 0 && !this.#inName && this.#have === 0;
  }

  /** Gives how many bytes of the piece belong to archives: fewer than there are where something else begins. @throws {SyntaxError} */
  feed(piece: Bytes): number {
    let at = 0;
    while (at < piece.length) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, piece.length - at);
        this.#skip -= passed;
        at += passed;
      } else if (this.#inName) {
        at += this.#take(this.#name, piece, at);
        if (this.#have === this.#name.length) this.#endName();
      } else if (this.#have === 0 && piece[at] === 0) {
        at++;
      } else if (this.#have === 0 && piece[at] !== 0x30) {
        return at;
      } else {
        at += this.#take(this.#header, piece, at);
        if (this.#have === HEADER_BYTES) this.#endHeader();
      }
    }
    return at;
  }

  #take(into: Bytes, piece: Bytes, at: number): number {
    const wanted = piece.subarray(at, at + into.length - this.#have);
    into.set(wanted, this.#have);
    this.#have += wanted.length;
    return wanted.length;
  }

  #endHeader(): void {
    const nameSize = hexField(this.#header, NAMESIZE_AT);
    this.#fileSize = hexField(this.#header, FILESIZE_AT);
    if (!isMagic(this.#header) || nameSize < 1 || nameSize > NAME_MAX_BYTES || this.#fileSize < 0) {
      throw new SyntaxError("A header of a cpio archive is damaged");
    }
    // Padded so that what follows begins at a multiple of four, counted from the header.
    this.#name = new Uint8Array(nameSize + padding(HEADER_BYTES + nameSize));
    this.#have = 0;
    this.#inName = true;
  }

  #endName(): void {
    const end = this.#name.indexOf(0);
    this.#onName(latin1.decode(this.#name.subarray(0, end < 0 ? undefined : end)));
    this.#skip = this.#fileSize + padding(this.#fileSize);
    this.#have = 0;
    this.#inName = false;
  }
}

function padding(length: number): number {
  return (4 - length % 4) % 4;
}
