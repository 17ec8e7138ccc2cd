/** Long work on this thread that a signal can stop. */
import { throwIfInterrupted } from "./errors.ts";

/** Longest time in which nothing but the work happens. */
const TURN_MS = 50;

/** No signal comes while the thread works, so that work lets go now and then. */
export class Pace {
  readonly #signal: AbortSignal;
  #turnStartMs = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Called between steps, however small: it rarely waits. @throws {Interrupted} */
  async step(): Promise<void> {
    if (performance.now() - this.#turnStartMs > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#turnStartMs = performance.now();
    }
    throwIfInterrupted(this.#signal);
  }
}
