/** Random values from a seed, so that a failing case can be run again. */
import type { Bytes } from "../../lib/sys/libc.ts";

/** mulberry32 */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  /** True once in `n` times. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  /** Bytes of which about half repeat earlier ones, so that they compress. */
  bytes(length: number): Bytes {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) out[i] = i > 100 && !this.once(2) ? out[i - 100]! : this.below(256);
    return out;
  }

  /** A file name's text of up to `length` characters. */
  name(length: number): string {
    const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_. é";
    let out = "";
    for (let i = 1 + this.below(length); i > 0; i--) out += letters[this.below(letters.length)];
    return out;
  }
}
