/** How the demo speaks: headings, commands as one would type them with what they print, times and sizes. */
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
   * Runs a command, shows it with its output indented and how long it took, and gives its stdout.
   * @throws {UserError} when it fails
   */
  async run({ argv, env = {}, quiet = false }: Shown): Promise<string> {
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
    const { success, stdout, stderr } = await child.output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
    if (!quiet || !success) this.#output(out + err);
    this.ctx.signal.throwIfAborted();
    if (!success) throw new UserError(`The demo stops: "${shellWords(argv)}" failed`);
    console.log(`   ${paint(2, `(${seconds(performance.now() - started)})`)}`);
    return out;
  }

  #output(text: string): void {
    for (const line of text.trimEnd().split("\n")) if (line !== "") console.log(`   | ${this.#short(line)}`);
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
