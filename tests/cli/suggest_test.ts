import { assertEquals } from "@std/assert";
import { didYouMean } from "../../lib/cli/suggest.ts";

const words = ["upgrade", "switch", "rollback", "status", "usr-overlay", "install", "image"];
const rows: [typed: string, expected: string | undefined][] = [
  ["upgarde", "upgrade"],
  ["swich", "switch"],
  ["stat", "status"],
  ["up", "upgrade"],
  ["i", undefined],
  ["imgae", "image"],
  ["delete", undefined],
  ["", undefined],
];

for (const [typed, expected] of rows) {
  Deno.test(`didYouMean() gives ${expected ?? "nothing"} for "${typed}"`, () => {
    assertEquals(didYouMean(typed, words), expected);
  });
}
