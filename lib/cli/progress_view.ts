/** Shows progress on stderr: bars on a terminal, a line a step elsewhere, nothing when asked to be quiet. */
import type { ProgressEvent, ReportProgress } from "../sys/progress.ts";
import { canRedraw, type CliContext } from "./context.ts";
import { advance, lineOf, render, startState } from "./progress.ts";

/** Time as the view needs it; a test has one of its own. */
export interface ViewClock {
  /** Milliseconds since whenever; never goes back. */
  nowMs(): number;
  /** Calls back once after a while and never keeps the program alive; gives what takes it back. */
  after(delayMs: number, callback: () => void): () => void;
}

const REDRAW_MS = 200;
/** With no event for so long, the rate and the time left are drawn anew. */
const IDLE_REDRAW_MS = 1000;

const systemClock: ViewClock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    Deno.unrefTimer(timer);
    return () => clearTimeout(timer);
  },
};

/** Shows one piece of work; the bars are gone at the end of its block. */
export class ProgressView implements Disposable {
  /** The caller's context, whose notes are written above the bars and leave them whole. */
  readonly context: CliContext;
  readonly #state = startState();
  readonly #clock: ViewClock;
  readonly #mode: "bars" | "lines" | "none";
  #drawn: readonly string[] = [];
  #drawnMs = -Infinity;
  #timer: { readonly dueMs: number; readonly cancel: () => void } | undefined;

  constructor(ctx: CliContext, { quiet = false, clock = systemClock }: { quiet?: boolean; clock?: ViewClock } = {}) {
    this.#clock = clock;
    this.#mode = quiet ? "none" : canRedraw(ctx) ? "bars" : "lines";
    this.context = { ...ctx, note: (line) => this.#above(ctx, line) };
  }

  /** Takes an event; bound, so that it can be handed on as it is. */
  readonly report: ReportProgress = (event: ProgressEvent) => {
    if (this.#mode === "none") return;
    const nowMs = this.#clock.nowMs();
    advance(this.#state, event, nowMs);
    if (this.#mode === "lines") {
      const line = lineOf(this.#state, event);
      if (line !== undefined) this.context.stderr.write(`${line}\n`);
    } else if (nowMs - this.#drawnMs >= REDRAW_MS) {
      this.#draw();
    } else {
      this.#drawAt(this.#drawnMs + REDRAW_MS);
    }
  };

  #draw(): void {
    const nowMs = this.#clock.nowMs();
    this.#drawnMs = nowMs;
    this.#cancelTimer();
    this.#replace(render(this.#state, { columns: this.context.columns(), nowMs }));
    if (this.#drawn.length > 0) this.#drawAt(nowMs + IDLE_REDRAW_MS);
  }

  /** Draws at that time, unless it will be drawn before. */
  #drawAt(dueMs: number): void {
    if (this.#timer && this.#timer.dueMs <= dueMs) return;
    this.#cancelTimer();
    this.#timer = { dueMs, cancel: this.#clock.after(dueMs - this.#clock.nowMs(), () => this.#draw()) };
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Writes lines where the last ones stood: cursor up, each line cleared before it is written, what is below cleared. */
  #replace(lines: readonly string[]): void {
    if (this.#drawn.length === 0 && lines.length === 0) return;
    const up = this.#drawn.length === 0 ? "" : `\x1b[${this.#drawn.length}A`;
    const text = lines.map((line) => `\x1b[2K${line}\n`).join("");
    this.context.stderr.write(`${up}${text}\x1b[J`);
    this.#drawn = lines;
  }

  #above(ctx: CliContext, line: string): void {
    const bars = this.#drawn;
    this.#replace([]);
    ctx.note(line);
    this.#replace(bars);
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#replace([]);
  }
}

/** Shows the progress of some work; the bars are gone before its result is given back, and so before any answer is printed. */
export async function withProgress<Result>(
  ctx: CliContext,
  options: { quiet: boolean },
  work: (view: ProgressView) => Promise<Result>,
): Promise<Result> {
  using view = new ProgressView(ctx, options);
  return await work(view);
}
