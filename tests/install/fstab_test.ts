import { assertEquals, assertThrows } from "@std/assert";
import { bootFstabLine } from "../../lib/install/fstab.ts";
import { UserError } from "../../lib/sys/errors.ts";

Deno.test("bootFstabLine() mounts /boot read-only (I3)", () => {
  assertEquals(bootFstabLine("UUID=abcd-1234"), "UUID=abcd-1234 /boot auto ro 0 0\n");
  assertEquals(bootFstabLine("/dev/vda4"), "/dev/vda4 /boot auto ro 0 0\n");
});

for (const source of ["LABEL=a b", "a\nb", "a\tb", "a\0", "a\\040b", "a\u00a0b"]) {
  Deno.test(`bootFstabLine() refuses ${JSON.stringify(source)}`, () => {
    const { message } = assertThrows(() => bootFstabLine(source), UserError);
    assertEquals(message, `Cannot mount from ${JSON.stringify(source)}: it holds a blank, a quote or a backslash`);
  });
}
