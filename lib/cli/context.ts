/** What a command may know of the world: lib's context, the caller's streams, and who calls. */
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";

/** A stream that takes text or bytes, all of it, before it returns. */
export interface Writer {
  /**
   * Does nothing once the reader has gone (`| head`): the work goes on, and its exit code is its own.
   * @throws {UserError} when the text cannot be written, as on a full disk
   */
  write(text: string): void;
  /**
   * For answers that are not text, such as a tar stream.
   * @throws {UserError} when the bytes cannot be written, a reader that has gone included
   */
  writeBytes(bytes: Uint8Array): void;
}

/** The world as a command sees it. `main.ts` makes one of the real world, a test one of its own. */
export interface CliContext extends Context {
  /** The answer. */
  readonly stdout: Writer;
  /** Notes, progress and errors. */
  readonly stderr: Writer;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Width of the terminal now; 80 where there is none. */
  readonly columns: () => number;
  /** All of standard input. */
  readonly readStdin: () => Promise<Uint8Array<ArrayBuffer>>;
  /** The name that the program was called by, folders and all. */
  readonly argv0: string;
  /** Effective user id; 0 is root. */
  readonly euid: number;
  /** The argv that starts this same command again in a process of its own (see {@linkcode runInherited} in `lib/sys/run.ts`). */
  readonly selfArgv: readonly [string, ...string[]];
}

/** Whether a stream may be painted: a terminal that knows colours, and nobody said no (https://no-color.org). */
export function color(ctx: CliContext, stream: "stdout" | "stderr"): boolean {
  const isTerminal = stream === "stdout" ? ctx.stdoutIsTerminal : ctx.stderrIsTerminal;
  return isTerminal && (ctx.env["NO_COLOR"] ?? "") === "" && ctx.env["TERM"] !== "dumb";
}

/** Prints a document that is made for programs, to the letter; a terminal gets the end of its line, before the next prompt. */
export function writeDocument(ctx: CliContext, text: string): void {
  ctx.stdout.write(ctx.stdoutIsTerminal ? `${text}\n` : text);
}

/** Whether lines already on stderr can be drawn over. */
export function canRedraw(ctx: CliContext): boolean {
  return ctx.stderrIsTerminal && (ctx.env["TERM"] ?? "") !== "dumb";
}

const encoder = new TextEncoder();

/** A writer over a descriptor's synchronous `write`; `name` is how errors call it ("standard output"). */
export function writerOver(sink: { writeSync(bytes: Uint8Array): number }, name: string): Writer {
  let readerGone = false;
  const writeAll = (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) done += sink.writeSync(bytes.subarray(done));
  };
  const failed = (cause: unknown) => new UserError(`Cannot write to ${name}`, { cause });
  return {
    write(text) {
      if (readerGone) return;
      try {
        writeAll(encoder.encode(text));
      } catch (error) {
        if (!(error instanceof Deno.errors.BrokenPipe)) throw failed(error);
        readerGone = true;
      }
    },
    writeBytes(bytes) {
      try {
        writeAll(bytes);
      } catch (error) {
        throw failed(error);
      }
    },
  };
}
