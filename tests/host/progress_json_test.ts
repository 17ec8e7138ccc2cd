import { assertEquals, assertThrows } from "@std/assert";
import {
  type BytesEvent,
  noProgress,
  parseProgressFd,
  ProgressWriter,
  stagingEvent,
  type StagingStep,
  Throttle,
} from "../../lib/host/progress_json.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { close, read } from "../../lib/sys/libc.ts";
import { pipe } from "../../lib/sys/libc_process.ts";

for (const [text, fd] of [["3", 3], ["17", 17]] as const) {
  Deno.test(`parseProgressFd() takes ${text}`, () => assertEquals(parseProgressFd(text), fd));
}

for (const text of ["0", "1", "2", "-1", "x", "", "3.5", "99999999999"]) {
  Deno.test(`parseProgressFd() rejects "${text}"`, () => {
    const error = assertThrows(() => parseProgressFd(text), UserError);
    assertEquals(error.message, `Cannot use fd ${text} for progress JSON`);
  });
}

Deno.test("Throttle admits a state per interval and keeps the last of the others", () => {
  const throttle = new Throttle<string>(200);
  const admitted = [0, 50, 199, 200, 399, 400, 410].filter((now) => throttle.admits(`at ${now}`, now));
  assertEquals(admitted, [0, 200, 400]);
  assertEquals([throttle.takeOwed(), throttle.takeOwed()], ["at 410", undefined]);
});

const steps: [StagingStep, number, string][] = [
  ["merging", 0, "merging"],
  ["deploying", 1, "merging* deploying"],
  ["bound_images", 1, "merging* deploying* bound_images"],
  ["cleanup", 2, "merging* deploying* bound_images* cleanup"],
  ["done", 3, "merging* deploying* bound_images* cleanup* cleanup*"],
];

for (const [step, count, names] of steps) {
  Deno.test(`stagingEvent() tells ${step}`, () => {
    const { subtasks, ...event } = stagingEvent("sha256:aa", step);
    assertEquals(event, {
      type: "ProgressSteps",
      task: "staging",
      description: "Deploying Image",
      id: "sha256:aa",
      stepsCached: 0,
      steps: count,
      stepsTotal: 3,
    });
    assertEquals(subtasks.map(({ subtask, completed }) => completed ? `${subtask}*` : subtask).join(" "), names);
  });
}

function pulling(bytes: number): BytesEvent {
  return {
    type: "ProgressBytes",
    task: "pulling",
    description: "Pulling Image: quay.io/example/os",
    id: "quay.io/example/os",
    bytesCached: 0,
    bytes,
    bytesTotal: 100,
    stepsCached: 0,
    steps: 0,
    stepsTotal: 1,
    subtasks: [{ subtask: "ostree_chunk", description: "Layer", id: "aa", bytesCached: 0, bytes, bytesTotal: 100 }],
  };
}

/** What a writer with a clock of its own writes to a pipe. */
function written(use: (writer: ProgressWriter, setMs: (ms: number) => void) => void): string[] {
  const [reader, fd] = pipe();
  let nowMs = 1000;
  const writer = new ProgressWriter(fd, () => new Date(nowMs));
  use(writer, (ms) => nowMs = 1000 + ms);
  writer[Symbol.dispose]();
  close(fd);
  const buffer = new Uint8Array(65536);
  let length = 0;
  for (let n; (n = read(reader, buffer.subarray(length))) > 0;) length += n;
  close(reader);
  return new TextDecoder().decode(buffer.subarray(0, length)).trimEnd().split("\n");
}

const start = `{"type":"Start","version":"0.1.0"}`;

Deno.test("ProgressWriter begins with its version", () => assertEquals(written(() => {}), [start]));

Deno.test("ProgressWriter writes a state as one line of JSON", () => {
  const [, line] = written((writer) => writer.send(pulling(7)));
  assertEquals(
    line,
    `{"type":"ProgressBytes","task":"pulling","description":"Pulling Image: quay.io/example/os","id":"quay.io/example/os",` +
      `"bytesCached":0,"bytes":7,"bytesTotal":100,"stepsCached":0,"steps":0,"stepsTotal":1,"subtasks":[{"subtask":"ostree_chunk",` +
      `"description":"Layer","id":"aa","bytesCached":0,"bytes":7,"bytesTotal":100}]}`,
  );
});

/** Just the numbers of the states. */
function counts(lines: string[]): (number | string)[] {
  return lines.slice(1).map((line) => {
    const event = JSON.parse(line);
    return event.type === "ProgressBytes" ? event.bytes : `${event.task} ${event.steps}`;
  });
}

Deno.test("ProgressWriter drops middle states, never the last", () => {
  const lines = written((writer, setMs) => {
    for (let ms = 0; ms <= 450; ms += 10) {
      setMs(ms);
      writer.sendLossy(pulling(ms));
    }
  });
  assertEquals(counts(lines), [0, 200, 400, 450]);
});

Deno.test("ProgressWriter replaces what it kept back by the end of the same task", () => {
  const lines = written((writer) => {
    writer.sendLossy(pulling(1));
    writer.sendLossy(pulling(2));
    writer.send(pulling(100));
  });
  assertEquals(counts(lines), [1, 100]);
});

Deno.test("ProgressWriter writes what it kept back before the next task", () => {
  const lines = written((writer) => {
    writer.sendLossy(pulling(1));
    writer.sendLossy(pulling(2));
    writer.send(stagingEvent("sha256:aa", "merging"));
  });
  assertEquals(counts(lines), [1, 2, "staging 0"]);
});

Deno.test("ProgressWriter goes on in silence when the reader has gone", () => {
  const [reader, fd] = pipe();
  const writer = new ProgressWriter(fd);
  close(reader);
  writer.send(pulling(1));
  writer.send(pulling(2));
  writer[Symbol.dispose]();
  close(fd);
});

Deno.test("ProgressWriter rejects a descriptor that cannot be written", () => {
  const [reader, fd] = pipe();
  const error = assertThrows(() => new ProgressWriter(reader), UserError);
  assertEquals(error.message, `Cannot use fd ${reader} for progress JSON`);
  close(reader);
  close(fd);
});

Deno.test("noProgress takes everything", () => {
  noProgress.send(pulling(1));
  noProgress.sendLossy(pulling(1));
});
