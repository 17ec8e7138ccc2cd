import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { changing, ofCommit } from "../../lib/host/damage.ts";
import { GlibError } from "../../lib/ostree/glib.ts";
import { Interrupted, UserError } from "../../lib/sys/errors.ts";

const DAMAGES = [new SyntaxError("no JSON"), new RangeError("malformed"), new GlibError("g-io-error-quark", 1, "gone")];
for (const cause of DAMAGES) {
  Deno.test(`ofCommit() names the commit of a ${cause.name}`, () => {
    const error = assertThrows(() =>
      ofCommit("abc", () => {
        throw cause;
      }), UserError);
    assertEquals([error.message, error.cause], ['Cannot read the commit "abc"', cause]);
  });
}

Deno.test("ofCommit() leaves what is no damage", () => {
  const bug = new TypeError("ours");
  assertEquals(
    assertThrows(() =>
      ofCommit("abc", () => {
        throw bug;
      })
    ),
    bug,
  );
});

Deno.test("changing() asks for space where there is none", async () => {
  const full = new GlibError("g-io-error-quark", 12, "Installing kernel: regfile copy: No space left on device");
  const error = await assertRejects(() => changing("Cannot deploy", () => Promise.reject(full)), UserError);
  assertEquals([error.message, error.cause, error.hint], [
    "Cannot deploy",
    full,
    "Free space in /boot and in the system root, then run it again",
  ]);
});

Deno.test("changing() leaves an interruption", async () => {
  await assertRejects(() => changing("Cannot deploy", () => Promise.reject(new Interrupted())), Interrupted);
});
