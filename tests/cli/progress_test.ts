import { assert, assertEquals } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { advance, lineOf, type ProgressState, render, startState } from "../../lib/cli/progress.ts";
import type { PlannedLayer, ProgressEvent } from "../../lib/sys/progress.ts";

const MB = 1_000_000;
/** formatSize() keeps number and unit together. */
const nbsp = (text: string) => text.replaceAll(/(\d) (kB|MB)/g, "$1\u00a0$2");

function layer(letter: string, sizeBytes: number, present = false): PlannedLayer {
  return { digest: `sha256:${letter.repeat(64)}`, sizeBytes, present };
}

const PLAN: ProgressEvent = {
  kind: "plan",
  layers: [layer("a", 40 * MB, true), layer("b", 40 * MB), layer("c", 200 * MB), layer("d", 1000)],
};

/** The state after events that come at their own times. */
function after(...events: [ms: number, event: ProgressEvent][]): ProgressState {
  const state = startState();
  for (const [ms, event] of events) advance(state, event, ms);
  return state;
}

function lines(state: ProgressState, columns: number, nowMs = 5000): string[] {
  return render(state, { columns, nowMs });
}

const twoActive: [number, ProgressEvent][] = [
  [0, PLAN],
  [0, { kind: "layer-start", index: 1 }],
  [0, { kind: "layer-start", index: 2 }],
  [2000, { kind: "layer-bytes", index: 1, bytes: 12.3 * MB }],
  [4000, { kind: "layer-bytes", index: 2, bytes: 50 * MB }],
];

Deno.test("render() draws a bar a layer and the total at 80 columns", () => {
  assertEquals(
    lines(after(...twoActive), 80),
    [
      "1/3 sha256:bbbbbbbbbbbb… [###########..........................] 12.3 MB/40.0 MB",
      "2/3 sha256:cccccccccccc… [########...........................]  50.0 MB/200.0 MB",
      "Total 0/3 [#######.....................]  62.3 MB/240.0 MB  12.5 MB/s  0:15 left",
    ].map(nbsp),
  );
});

Deno.test("render() leaves out digest and rate at 40 columns", () => {
  assertEquals(
    lines(after(...twoActive), 40),
    [
      "1/3 [#####.............] 12.3 MB/40.0 MB",
      "2/3 [####............]  50.0 MB/200.0 MB",
      "Total 0/3    62.3 MB/240.0 MB  0:15 left",
    ].map(nbsp),
  );
});

Deno.test("render() is never wider than it is told", () => {
  const state = after(...twoActive, [4000, { kind: "step", name: "a step 天地 with a long name", index: 0, total: 3 }]);
  for (let columns = 4; columns <= 120; columns++) {
    for (const line of lines(state, columns)) assert(unicodeWidth(line) <= columns, `${columns}: ${line}`);
  }
});

Deno.test("render() draws nothing before the first layer starts", () => {
  assertEquals(lines(startState(), 80), []);
  assertEquals(lines(after([0, PLAN]), 80), []);
});

Deno.test("render() counts what is done, and does not guess a rate too early", () => {
  const state = after(
    [0, PLAN],
    [0, { kind: "layer-start", index: 3 }],
    [100, { kind: "layer-done", index: 3 }],
    [100, { kind: "layer-start", index: 1 }],
  );
  assertEquals(
    lines(state, 80, 200),
    [
      "1/3 sha256:bbbbbbbbbbbb… [.....................................] 0 bytes/40.0 MB",
      "Total 1/3 [..................................................]   1.0 kB/240.0 MB",
    ].map(nbsp),
  );
});

Deno.test("render() draws no bars when all layers are done", () => {
  const done = [1, 2, 3].map((index): [number, ProgressEvent] => [0, { kind: "layer-done", index }]);
  assertEquals(lines(after([0, PLAN], ...done), 80), []);
});

Deno.test("render() shows the step that runs", () => {
  const state = after([0, { kind: "step", name: "merging", index: 0, total: 3 }]);
  assertEquals(lines(state, 80), ["Step 1/3: merging"]);
  assertEquals(lines(state, 10), ["Step 1/3:…"]);
  advance(state, { kind: "step-done" }, 0);
  assertEquals(lines(state, 80), []);
});

Deno.test("render() takes the rate from the last seconds, and from the time since when nothing comes", () => {
  const events: [number, ProgressEvent][] = [[0, PLAN], [0, { kind: "layer-start", index: 2 }]];
  // 1 MB/s for 20 seconds, then 5 MB/s for 10.
  for (let second = 1; second <= 30; second++) {
    const bytes = (Math.min(second, 20) + Math.max(0, second - 20) * 5) * MB;
    events.push([second * 1000, { kind: "layer-bytes", index: 2, bytes }]);
  }
  const state = after(...events);
  const rate = (nowMs: number) => /[\d.]+\u00a0MB\/s {2}[\d:]+ left/.exec(lines(state, 80, nowMs).at(-1)!)?.[0];
  assertEquals(rate(30_000), nbsp("5.0 MB/s  0:35 left"));
  assertEquals(rate(60_000), nbsp("1.2 MB/s  2:17 left"));
});

Deno.test("advance() keeps to the plan", () => {
  const state = after(
    [0, PLAN],
    [0, { kind: "layer-start", index: 0 }],
    [0, { kind: "layer-bytes", index: 99, bytes: 5 }],
    [0, { kind: "layer-bytes", index: 1, bytes: 99 * MB }],
  );
  assertEquals(state.layers.map((each) => each?.fetchedBytes), [undefined, 40 * MB, 0, 0]);
});

const said: [event: ProgressEvent, line: string | undefined][] = [
  [PLAN, undefined],
  [{ kind: "layer-start", index: 2 }, "Fetching layer 2/3 sha256:cccccccccccc… 200.0 MB"],
  [{ kind: "layer-start", index: 0 }, undefined],
  [{ kind: "layer-bytes", index: 2, bytes: 1 }, undefined],
  [{ kind: "layer-done", index: 2 }, undefined],
  [{ kind: "step", name: "deploying", index: 1, total: 3 }, "Step 2/3: deploying"],
  [{ kind: "step-done" }, undefined],
];

for (const [event, line] of said) {
  Deno.test(`lineOf() gives ${line ?? "nothing"} for ${JSON.stringify(event).slice(0, 60)}`, () => {
    const state = after([0, PLAN]);
    if (event !== PLAN) advance(state, event, 0);
    assertEquals(lineOf(state, event), line === undefined ? undefined : nbsp(line));
  });
}
