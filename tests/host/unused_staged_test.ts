import { assertEquals } from "@std/assert";
import { explain } from "../../lib/host/unused_staged.ts";

Deno.test("explain() has nothing to say where nothing is known", () => {
  assertEquals(explain({ record: undefined, failure: undefined, tracked: "x" }), []);
});

Deno.test("explain() tells of what another program staged, and obeys no control character", () => {
  assertEquals(explain({ record: undefined, failure: "a\n  b\x1b[2J\n", tracked: "x" }), [
    "warning: A staged deployment was not used: ostree could not finish it at shutdown: a; b\\u001b[2J",
    "hint: Mend that, then stage it again",
  ]);
});
