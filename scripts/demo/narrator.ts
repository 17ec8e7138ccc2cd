/** How the demo speaks: headings, commands as one would type them with what they print, times and sizes. */
import { TextLineStream } from "@std/streams/text-line-stream";
import { formatSize } from "../../lib/oci/size.ts";
import type { Context } from "../../lib/sys/context.ts";
import { shellWords } from "../../lib/sys/run.ts";
import { UserError } from "../../lib/sys/errors.ts";

const terminal = Deno.stdout.isTerminal() && !Deno.noColor;
const paint = (code: number, text: string) => terminal ? `\x1b[${code}m${text}\x1b[0m` : text;

/** A command of the demo: what is run, and how a reader should see it. */
export interface Shown {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Show no output unless it fails. */
  readonly quiet?: boolean;
  /** Lines that say nothing to a reader. */
  readonly hide?: RegExp;
}

/** Writes to stdout; counts the headings. */
export class Narrator {
  #headings = 0;
  readonly #started = performance.now();
  /** `shorten` makes long paths of this run readable: what is on the left is shown as what is on the right. */
  constructor(readonly ctx: Context, readonly shorten: readonly (readonly [string, string])[]) {}

  #short(text: string): string {
    return this.shorten.reduce((result, [long, short]) => result.replaceAll(long, short), text);
  }

  heading(text: string): void {
    console.log(`\n${paint(1, `${++this.#headings}. ${text}`)}`);
  }

  say(text: string): void {
    console.log(`   ${this.#short(text)}`);
  }

  /** Time since the demo began. */
  elapsed(): string {
    return seconds(performance.now() - this.#started);
  }

  /**
   * Runs a command, shows it with its output, indented, as it comes, and how long it took.
   * @throws {UserError} when it fails
   */
  async run({ argv, env = {}, quiet = false, hide }: Shown): Promise<void> {
    console.log(`   ${paint(36, `$ ${this.#short(shellWords(argv))}`)}`);
    const started = performance.now();
    const child = new Deno.Command(argv[0], {
      args: argv.slice(1),
      env: { ...this.ctx.env, LC_ALL: "C.UTF-8", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: this.ctx.signal,
    }).spawn();
    const lines = new Lines((line) => {
      if (!quiet && !hide?.test(line)) console.log(`   | ${this.#short(line)}`);
    });
    const [{ success }] = await Promise.all([child.status, lines.read(child.stdout), lines.read(child.stderr)]);
    this.ctx.signal.throwIfAborted();
    if (!success) {
      const said = quiet ? `: ${lines.last.join("; ")}` : "";
      throw new UserError(`The demo stops: "${this.#short(shellWords(argv))}" failed${said}`);
    }
    console.log(`   ${paint(2, `(${seconds(performance.now() - started)})`)}`);
  }
}

/** Lines of several streams, in the order in which they come. */
class Lines {
  /** The last few, for an error. */
  readonly last: string[] = [];
  constructor(readonly each: (line: string) => void) {}

  async read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
      if (this.last.push(line) > 5) this.last.shift();
      if (line !== "") this.each(line);
    }
  }
}

/** `1.23 s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Sizes of layers as a sum: `103.3 MB + 83.1 kB`. */
export function sum(sizes: readonly number[]): string {
  return sizes.map((size) => formatSize(size)).join(" + ");
}
