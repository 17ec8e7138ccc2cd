import { assertEquals } from "@std/assert";
import { debugName, quotePath } from "../../lib/rootfs/quote.ts";

const paths: [bytes: string, shown: string][] = [
  ["", ""],
  ["/foo/bar-1.2_3,a=b:c", "/foo/bar-1.2_3,a=b:c"],
  ["/var/d\xc3\xa9j\xc3\xa0", "/var/déjà"],
  ["/a b", "'/a b'"],
  ["/a$(x)", "'/a$(x)'"],
  ['/with"quotes"', `'/with"quotes"'`],
  ["/it's", "$'/it\\'s'"],
  ["/back\\slash", "'/back\\slash'"],
  ["/line\nend\x1b", "$'/line\\x0Aend\\x1B'"],
  ["/non\xee\xff/utf8", "$'/non\\xEE\\xFF/utf8'"],
  ["/right\xe2\x80\xaeleft", "$'/right\\xE2\\x80\\xAEleft'"],
];

for (const [bytes, shown] of paths) {
  Deno.test(`quotePath() shows ${JSON.stringify(bytes)} as ${JSON.stringify(shown)}`, () => {
    assertEquals(quotePath(bytes), shown);
  });

  Deno.test(`quotePath() gives bash ${JSON.stringify(bytes)} back`, async () => {
    const { stdout } = await new Deno.Command("bash", { args: ["-c", `printf %s ${shown}`] }).output();
    assertEquals(Array.from(stdout, (byte) => String.fromCharCode(byte)).join(""), bytes);
  });
}

const names: [bytes: string, shown: string][] = [
  ["plain", `"plain"`],
  ["bad\xffdir", `"bad\\xFFdir"`],
  ["abc\xffd\xc3\xa9f", `"abc\\xFFdéf"`],
  [`a"b\\c`, `"a\\"b\\\\c"`],
  ["\xc3", `"\\xC3"`],
  ["\xed\xa0\x80", `"\\xED\\xA0\\x80"`],
  ["\xf0\x9f\x90\xa7\xf0\x9f", `"🐧\\xF0\\x9F"`],
  ["e\x1b\xc2\x9b", `"e\\x1B\\xC2\\x9B"`],
];

for (const [bytes, shown] of names) {
  Deno.test(`debugName() shows ${JSON.stringify(bytes)} as ${JSON.stringify(shown)}`, () => {
    assertEquals(debugName(bytes), shown);
  });
}
