import { assertEquals, assertThrows } from "@std/assert";
import { CpioNames } from "../../lib/codec/cpio.ts";
import { tempDir } from "../temp.ts";
import { cpioOf } from "./cpio_archive.ts";

function namesOf(
  bytes: Uint8Array<ArrayBuffer>,
  pieceBytes: number,
): { names: string[]; used: number; between: boolean } {
  const names: string[] = [];
  const parser = new CpioNames((name) => names.push(name));
  let used = 0;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    const n = parser.feed(piece);
    used += n;
    if (n < piece.length) break;
  }
  return { names, used, between: parser.betweenEntries };
}

for (const pieceBytes of [1, 7, 512, 1 << 20]) {
  Deno.test(`CpioNames names what cpio wrote, in pieces of ${pieceBytes} bytes`, async () => {
    await using tmp = await tempDir();
    const archive = await cpioOf(tmp.path, { "etc/a": "1", "usr/lib/longer-name": "x".repeat(5000), "empty": "" });
    const both = new Uint8Array([...archive, ...archive]);
    const { names, used, between } = namesOf(both, pieceBytes);
    const one = [".", "empty", "etc", "etc/a", "usr", "usr/lib", "usr/lib/longer-name", "TRAILER!!!"];
    assertEquals(names, [...one, ...one]);
    assertEquals([used, between], [both.length, true]);
  });
}

Deno.test("CpioNames stops where something else begins", async () => {
  await using tmp = await tempDir();
  const archive = await cpioOf(tmp.path, { a: "1" });
  const { used, between } = namesOf(new Uint8Array([...archive, 0x1f, 0x8b, 1, 2]), 100);
  assertEquals([used, between], [archive.length, true]);
});

Deno.test("CpioNames knows that an archive was cut", async () => {
  await using tmp = await tempDir();
  const archive = await cpioOf(tmp.path, { a: "12345" });
  assertEquals(namesOf(archive.subarray(0, 130), 64).between, false);
});

for (
  const [what, spoil] of [
    ["another magic", (bytes: Uint8Array) => bytes.set([0x37], 5)],
    ["a size that is no number", (bytes: Uint8Array) => bytes.set([0x7a], 54)],
    ["a name without a byte", (bytes: Uint8Array) => bytes.fill(0x30, 94, 102)],
    ["a name of gigabytes", (bytes: Uint8Array) => bytes.fill(0x46, 94, 102)],
  ] as const
) {
  Deno.test(`CpioNames refuses ${what}`, async () => {
    await using tmp = await tempDir();
    const archive = await cpioOf(tmp.path, { a: "1" });
    spoil(archive);
    assertThrows(() => namesOf(archive, 4096), SyntaxError, "A header of a cpio archive is damaged");
  });
}
