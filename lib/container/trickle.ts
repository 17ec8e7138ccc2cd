/** How to read a pipe that fills slowly: few bytes cost as much as many, a pool thread's turn here and one there. */

/** Reads of fewer bytes than this are a trickle. */
const PIECE_BYTES = 32 << 10;
/** A pipe holds more than any network brings in this time, so that its writer never waits for it. */
const LONGEST_MS = 16;

/**
 * Says how long to let a pipe fill once it has something. Where reads bring much, and at first, not at all: small layers wait for nothing.
 * Where they bring little again and again, as from a network whose packets a writer hands on one by one, longer and longer.
 */
export class Trickle {
  #ms = 0;
  #first = true;

  /** For the next blob. */
  reset(): void {
    this.#ms = 0;
    this.#first = true;
  }

  /** A read brought so many bytes. */
  saw(bytes: number): void {
    if (bytes >= PIECE_BYTES) this.#ms >>= 1;
    else if (!this.#first) this.#ms = Math.min(LONGEST_MS, Math.max(1, this.#ms * 2));
    this.#first = false;
  }

  /** Milliseconds to wait now. */
  get ms(): number {
    return this.#ms;
  }
}
