import { assertEquals } from "@std/assert";
import { type CliContext, writerOver } from "../../lib/cli/context.ts";
import { ProgressView, type ViewClock } from "../../lib/cli/progress_view.ts";
import { plainContext } from "../../lib/sys/context.ts";
import type { ProgressEvent } from "../../lib/sys/progress.ts";
import { Captured } from "../cmd/bootc.ts";

/** A clock that stands still until it is told. */
class FakeClock implements ViewClock {
  #nowMs = 0;
  #timers: { dueMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((each) => each !== timer);
  }

  get waiting(): number {
    return this.#timers.length;
  }

  pass(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.toSorted((one, other) => one.dueMs - other.dueMs)[0];
      if (!next || next.dueMs > end) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#nowMs = next.dueMs;
      next.callback();
    }
    this.#nowMs = end;
  }
}

/** A view, what it wrote, and the times at which it wrote. */
function scene(options: { terminal?: boolean; quiet?: boolean; term?: string }) {
  const clock = new FakeClock();
  const written = new Captured();
  const times: number[] = [];
  const stderr = writerOver({
    writeSync(bytes) {
      times.push(clock.nowMs());
      return written.writeSync(bytes);
    },
  }, "standard error");
  const ctx: CliContext = {
    ...plainContext({ TERM: options.term ?? "xterm" }),
    note: (line) => stderr.write(`${line}\n`),
    stdout: stderr,
    stderr,
    stdoutIsTerminal: false,
    stderrIsTerminal: options.terminal ?? true,
    columns: () => 40,
    readStdin: () => Promise.resolve(new Uint8Array()),
    argv0: "bootc",
    euid: 0,
    selfArgv: ["bootc"],
  };
  const view = new ProgressView(ctx, { quiet: options.quiet ?? false, clock });
  return { view, clock, times, text: () => written.text() };
}

const PLAN: ProgressEvent = {
  kind: "plan",
  layers: [{ digest: `sha256:${"a".repeat(64)}`, sizeBytes: 1000, present: false }],
};
const START: ProgressEvent = { kind: "layer-start", index: 0 };
const bytes = (count: number): ProgressEvent => ({ kind: "layer-bytes", index: 0, bytes: count });

/** A terminal's screen after a text: understands what the view writes. */
function screen(text: string): string[] {
  const rows = [""];
  let row = 0;
  // deno-lint-ignore no-control-regex
  for (const [token] of text.matchAll(/\x1b\[\d*[AJK]|\n|[^\x1b\n]+/g)) {
    if (token === "\n") rows[++row] ??= "";
    else if (token.endsWith("A") && token.startsWith("\x1b")) row -= Number(token.slice(2, -1));
    else if (token === "\x1b[J") rows.splice(row, Infinity, "");
    else if (token === "\x1b[2K") rows[row] = "";
    else rows[row] += token;
  }
  return rows;
}

Deno.test("ProgressView redraws at most five times a second", () => {
  const { view, clock, times } = scene({});
  view.report(PLAN);
  view.report(START);
  for (let event = 0; event < 1000; event++) {
    view.report(bytes(event));
    clock.pass(2);
  }
  const gaps = times.slice(1).map((ms, index) => ms - times[index]!);
  assertEquals(gaps.filter((ms) => ms < 200), []);
  assertEquals(times.length, 10);
});

Deno.test("ProgressView draws the last state though no event follows it", () => {
  const { view, clock, text } = scene({});
  for (const event of [PLAN, START, bytes(100), bytes(900)]) view.report(event);
  clock.pass(200);
  assertEquals(screen(text()), [
    "1/1 [###############..] 900 bytes/1.0\u00a0kB",
    "Total 0/1 [#########..] 900 bytes/1.0\u00a0kB",
    "",
  ]);
});

Deno.test("ProgressView draws over its own lines and takes them away at the end", () => {
  const { view, clock, text } = scene({});
  for (const event of [PLAN, START, bytes(100)]) view.report(event);
  clock.pass(200);
  view.report(bytes(500));
  clock.pass(200);
  assertEquals(screen(text()).length, 3);
  view.report({ kind: "layer-done", index: 0 });
  view.report({ kind: "step", name: "merging", index: 0, total: 3 });
  clock.pass(200);
  assertEquals(screen(text()), ["Step 1/3: merging", ""]);
  view[Symbol.dispose]();
  assertEquals(screen(text()), [""]);
  assertEquals(clock.waiting, 0);
});

Deno.test("ProgressView redraws once a second while nothing comes, until there is nothing to show", () => {
  const { view, clock, times } = scene({});
  for (const event of [PLAN, START, bytes(100)]) view.report(event);
  clock.pass(3300);
  assertEquals(times, [200, 1200, 2200, 3200]);
  view.report({ kind: "layer-done", index: 0 });
  clock.pass(10_000);
  assertEquals(times.length, 5);
  assertEquals(clock.waiting, 0);
});

Deno.test("ProgressView writes notes above its lines", () => {
  const { view, clock, text } = scene({});
  for (const event of [PLAN, START, bytes(100)]) view.report(event);
  clock.pass(200);
  const bars = screen(text());
  view.context.note("Waiting for the lock");
  assertEquals(screen(text()), ["Waiting for the lock", ...bars]);
});

for (const [fact, options] of [["off a terminal", { terminal: false }], ["on a dumb one", { term: "dumb" }]] as const) {
  Deno.test(`ProgressView writes one line a step ${fact}`, () => {
    const { view, clock, text } = scene(options);
    for (const event of [PLAN, START, bytes(100)]) view.report(event);
    view.context.note("A note");
    clock.pass(5000);
    view.report({ kind: "layer-done", index: 0 });
    view.report({ kind: "step", name: "merging", index: 0, total: 3 });
    view.report({ kind: "step-done" });
    view[Symbol.dispose]();
    assertEquals(text(), "Fetching layer 1/1 sha256:aaaaaaaaaaaa… 1.0\u00a0kB\nA note\nStep 1/3: merging\n");
  });
}

Deno.test("ProgressView writes nothing but notes when quiet", () => {
  const { view, clock, text } = scene({ quiet: true });
  for (const event of [PLAN, START, bytes(100)]) view.report(event);
  clock.pass(5000);
  view.context.note("A note");
  view[Symbol.dispose]();
  assertEquals(text(), "A note\n");
});
