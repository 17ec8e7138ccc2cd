import { assertEquals } from "@std/assert";
import type { BytesEvent, ProgressEvent } from "../../lib/host/progress_json.ts";
import { reportPull } from "../../lib/host/progress_pull.ts";

const layer = (letter: string, sizeBytes: number, present = false) => ({
  digest: `sha256:${letter.repeat(64)}`,
  sizeBytes,
  present,
});

/** What a sink is sent, with a mark on what may be dropped. */
function recorder() {
  const lines: [lossy: boolean, event: BytesEvent][] = [];
  const record = (lossy: boolean) => (event: ProgressEvent) => {
    if (event.type === "ProgressBytes") lines.push([lossy, event]);
  };
  return { lines, sink: { send: record(false), sendLossy: record(true), [Symbol.dispose]() {} } };
}

Deno.test("reportPull() adds layers up, and names those under way", () => {
  const { lines, sink } = recorder();
  const report = reportPull(sink, "quay.io/example/os");
  report({ kind: "plan", layers: [layer("a", 1000, true), layer("b", 100), layer("c", 50)] });
  report({ kind: "layer-start", index: 1 });
  report({ kind: "layer-bytes", index: 1, bytes: 40 });
  report({ kind: "layer-done", index: 2 });
  report({ kind: "layer-done", index: 1 });
  const shown = lines.map(([lossy, { steps, bytes, subtasks }]) => [lossy, steps, bytes, subtasks.length]);
  assertEquals(shown, [
    [false, 0, 0, 0],
    [true, 0, 0, 1],
    [true, 0, 40, 1],
    [true, 1, 90, 1],
    [false, 2, 150, 0],
  ]);
  assertEquals(lines[2]?.[1], {
    type: "ProgressBytes",
    task: "pulling",
    description: "Pulling Image: quay.io/example/os",
    id: "quay.io/example/os",
    bytesCached: 1000,
    bytes: 40,
    bytesTotal: 150,
    stepsCached: 1,
    steps: 0,
    stepsTotal: 2,
    subtasks: [{
      subtask: "layer",
      description: "Layer sha256:bbbbbbbbbbbb",
      id: `sha256:${"b".repeat(64)}`,
      bytesCached: 0,
      bytes: 40,
      bytesTotal: 100,
    }],
  });
});

Deno.test("reportPull() passes over steps and layers outside of the plan", () => {
  const { lines, sink } = recorder();
  const report = reportPull(sink, "a");
  report({ kind: "plan", layers: [layer("a", 1, true)] });
  report({ kind: "layer-bytes", index: 7, bytes: 1 });
  report({ kind: "layer-bytes", index: 0, bytes: 1 });
  report({ kind: "step", name: "merging", index: 0, total: 1 });
  report({ kind: "step-done" });
  assertEquals(lines.length, 1);
});
