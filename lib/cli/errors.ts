/** What the operator sees of a failure, and the exit code that goes with it. */
import { Interrupted } from "../sys/errors.ts";
import { printable } from "./printable.ts";

/** A wrong command line; exit code 2, shown with the usage of the command. */
export class UsageError extends Error {
  override name = "UsageError";
  /** One sentence that says what to type instead, or undefined. */
  readonly hint: string | undefined;
  constructor(message: string, options: { cause?: unknown; hint?: string | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}

/** The kinds that say all in their message; by name, as some are made in layers that this one may not import. */
const TOLD = new Set([
  "UserError",
  "ToolError",
  "UsageError",
  "Interrupted",
  "SyntaxError",
  "LibcError",
  "GlibError",
  "AbortError",
  "TimeoutError",
]);

/** The first failure, and those of the disposers that came after it, in order. */
function unwrap(error: unknown): { primary: unknown; cleanUps: unknown[] } {
  const cleanUps: unknown[] = [];
  let primary = error;
  while (primary instanceof SuppressedError) {
    cleanUps.unshift(primary.error);
    primary = primary.suppressed;
  }
  return { primary, cleanUps };
}

/** An error, its cause, the cause of that, ... */
function causes(error: unknown): unknown[] {
  const chain = [error];
  for (let last = error; last instanceof Error && last.cause !== undefined && !chain.includes(last.cause);) {
    last = last.cause;
    chain.push(last);
  }
  return chain;
}

/** Whether this is a failure of ours: no kind that the program tells apart, and none that the system gave. */
function isBug(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (TOLD.has(error.name)) return false;
  if (error instanceof AggregateError) return error.errors.flatMap(causes).some(isBug);
  if (error instanceof RangeError) return error.message === "Maximum call stack size exceeded";
  // Errors of the operating system: Deno's own classes, and those that carry an errno's name.
  if (Object.values(Deno.errors).some((kind) => error instanceof kind)) return false;
  return !("code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code));
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return printable(error instanceof Error ? error.message || error.name : String(error));
}

function chainText(error: unknown): string {
  const messages = causes(error).map(messageOf);
  // A message that repeats its cause says it once.
  return messages.filter((message, index) => index === 0 || !messages[index - 1]!.endsWith(message)).join(": ");
}

function hintOf(error: unknown): string | undefined {
  for (const each of causes(error)) {
    if (each instanceof Error && "hint" in each && typeof each.hint === "string") return printable(each.hint);
  }
  return undefined;
}

/** How an error is shown. */
export interface RenderOptions {
  /** Paints `error:` and `hint:`. */
  readonly color?: boolean;
}

/**
 * The text for stderr: one `error:` line with all causes, a `hint:` line where one is known, a line more for each clean-up that failed
 * after it, and the stack and a plea for a report where the failure is a bug of ours. Ends with a newline.
 */
export function renderError(error: unknown, { color = false }: RenderOptions = {}): string {
  const label = (word: string, code: number) => color ? `\x1b[1;${code}m${word}:\x1b[0m` : `${word}:`;
  const { primary, cleanUps } = unwrap(error);
  const lines = [`${label("error", 31)} ${chainText(primary)}`];
  for (const each of cleanUps) lines.push(`${label("error", 31)} Cleaning up failed too: ${chainText(each)}`);
  const hint = hintOf(primary);
  if (hint !== undefined) lines.push(`${label("hint", 36)} ${hint}`);
  for (const bug of [primary, ...cleanUps].flatMap(causes).filter(isBug)) {
    const stack = bug instanceof Error ? bug.stack : undefined;
    lines.push(
      "This is a bug in bootc; please report it with the text above and below.",
      stack ?? `(no stack: ${typeof bug})`,
    );
  }
  return lines.join("\n") + "\n";
}

/** 1 for a failure, 2 for a wrong command line, 130 when the operator or a signal stopped the work. */
export function exitCodeOf(error: unknown): 1 | 2 | 130 {
  const { primary } = unwrap(error);
  if (primary instanceof UsageError) return 2;
  const stopped = (each: unknown) =>
    each instanceof Interrupted || (each instanceof Error && each.name === "AbortError");
  return causes(primary).some(stopped) ? 130 : 1;
}
