/**
 * The kinds of failure that the program tells apart (style: bad text is `SyntaxError`, a value out of range `RangeError`).
 * Anything that is none of these is our own bug and is shown with its stack.
 */

/** What the operator can mend: a wrong image, a full disk, a missing file. `hint` says what to do next. */
export class UserError extends Error {
  override name = "UserError";
  /** One sentence that says what to do next, or undefined. */
  readonly hint: string | undefined;
  constructor(message: string, options: { cause?: unknown; hint?: string | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}

/** A tool (skopeo, ostree, ...) that failed; the message names the command and carries the tail of its stderr. */
export class ToolError extends Error {
  override name = "ToolError";
  /** Exit code, or undefined where the tool could not be started or died of a signal. */
  readonly exitCode: number | undefined;
  constructor(message: string, options: { cause?: unknown; exitCode?: number | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode;
  }
}

/** The operator or a signal stopped the work; exit code 130. */
export class Interrupted extends Error {
  override name = "Interrupted";
  constructor(message = "Interrupted") {
    super(message);
  }
}

/** @throws {Interrupted} when the signal was given; called between the steps of long work. */
export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new Interrupted();
}
