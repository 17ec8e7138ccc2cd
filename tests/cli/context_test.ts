import { assertEquals, assertThrows } from "@std/assert";
import { writerOver } from "../../lib/cli/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { Captured } from "../cmd/bootc.ts";

/** Takes a few bytes at a time, as a pipe may. */
class Slow extends Captured {
  override writeSync(bytes: Uint8Array): number {
    return super.writeSync(bytes.subarray(0, 3));
  }
}

function failing(error: Error): { writeSync(): number; calls: number } {
  return {
    calls: 0,
    writeSync() {
      this.calls++;
      throw error;
    },
  };
}

Deno.test("writerOver() writes all of a text, whatever a write takes", () => {
  const sink = new Slow();
  writerOver(sink, "standard output").write("größer als drei");
  assertEquals(sink.text(), "größer als drei");
});

Deno.test("writerOver() goes on without a reader of text", () => {
  const sink = failing(new Deno.errors.BrokenPipe("gone"));
  const writer = writerOver(sink, "standard output");
  writer.write("one");
  writer.write("two");
  assertEquals(sink.calls, 1);
});

Deno.test("writerOver() says so when bytes have no reader", () => {
  const writer = writerOver(failing(new Deno.errors.BrokenPipe("gone")), "standard output");
  assertThrows(() => writer.writeBytes(new Uint8Array(1)), UserError, "Cannot write to standard output");
});

Deno.test("writerOver() says so when a text cannot be written", () => {
  const writer = writerOver(failing(new Error("No space left on device")), "standard output");
  const error = assertThrows(() => writer.write("x"), UserError, "Cannot write to standard output");
  assertEquals((error.cause as Error).message, "No space left on device");
});
