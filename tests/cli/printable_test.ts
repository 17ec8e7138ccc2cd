import { assertEquals } from "@std/assert";
import { printable } from "../../lib/cli/printable.ts";

const rows: [fact: string, text: string, expected: string][] = [
  ["leaves letters of any script alone", "größe 天 🦕 12\u00a0MB", "größe 天 🦕 12\u00a0MB"],
  ["joins lines", " one\n two\r\n\nthree\n", "one; two; three"],
  ["shows what a terminal obeys", "\x1b[2J\x9b1A\x00\x7f", "\\u001b[2J\\u009b1A\\u0000\\u007f"],
  ["shows what turns the direction of writing", "a\u202eb\u2066c", "a\\u202eb\\u2066c"],
];

for (const [fact, text, expected] of rows) {
  Deno.test(`printable() ${fact}`, () => assertEquals(printable(text), expected));
}
