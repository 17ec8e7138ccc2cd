import { assertEquals } from "@std/assert";
import { plainScreen } from "../../../scripts/vm/machine.ts";

const rows: [fact: string, text: string, expected: string][] = [
  ["leaves plain text alone", "a [OK] b\n", "a [OK] b\n"],
  ["drops colours", "[\x1b[0;32m  OK  \x1b[0m] Started\r\n", "[  OK  ] Started\n"],
  ["drops where the cursor goes", "\x1b[2J\x1b[01;01HGRUB\x1b[?7l\x1b[K", "GRUB"],
  ["drops character sets and resets", "\x1bc\x1b(Bx\x1b=\x00", "x"],
];

for (const [fact, text, expected] of rows) {
  Deno.test(`plainScreen() ${fact}`, () => assertEquals(plainScreen(text), expected));
}
