import { assertEquals } from "@std/assert";
import { splitKernelArguments } from "../../lib/ostree/deployment.ts";

const lines: [string, string[]][] = [
  ["", []],
  ["  ", []],
  ["root=LABEL=root rw  quiet ", ["root=LABEL=root", "rw", "quiet"]],
  ['a="b c" d', ['a="b c"', "d"]],
  ['"a b"=c', ['"a b"=c']],
  ['a=b"c d"e f', ['a=b"c d"e', "f"]],
  ['a="never ends b', ['a="never ends b']],
  ["a=b=c\td", ["a=b=c", "d"]],
];
for (const [line, args] of lines) {
  Deno.test(`splitKernelArguments() splits ${JSON.stringify(line)}`, () =>
    assertEquals(splitKernelArguments(line), args));
}
