import { assertEquals, assertThrows } from "@std/assert";
import { decode, encode } from "../../lib/codec/gvariant.ts";
import {
  binaryString,
  compareBytes,
  dirmetaBytes,
  displayPath,
  fileHeader,
  fromBinaryString,
  offsetWidth,
  ownerBytes,
  parseXattrSet,
  PLAIN_HEADER_BYTES,
  putPlainHeader,
  type Xattr,
  xattrSet,
} from "../../lib/ostree/objects.ts";
import type { Bytes } from "../../lib/sys/libc.ts";

const encoder = new TextEncoder();
const terminated = (text: string) => encoder.encode(`${text}\0`);

/** ostree's integers stand big-endian in a little-endian variant. */
function big(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return view.getUint32(0, true);
}

const sets: [what: string, xattrs: [string, Bytes][]][] = [
  ["one", [["user.a", encoder.encode("1")]]],
  ["several, sorted", [["security.capability", new Uint8Array(20)], ["user.a", encoder.encode("1")], [
    "user.aa",
    terminated("2"),
  ]]],
  ["one of 255 bytes in all", [["user.b", new Uint8Array(247)]]],
  ["one of 256 bytes in all", [["user.b", new Uint8Array(248)]]],
  ["a large one", [["user.b", new Uint8Array(66_000).fill(7)]]],
  ["many", Array.from({ length: 300 }, (_, i) => [`user.${String(i).padStart(3, "0")}`, new Uint8Array(i)])],
];

for (const [what, xattrs] of sets) {
  Deno.test(`xattrSet() serialises ${what} as GVariant does, in any order`, () => {
    const expected = encode("a(ayay)", xattrs.map(([name, value]) => [terminated(name), value]));
    const shuffled = xattrs.toReversed().map(([name, value]): Xattr => [encoder.encode(name), value]);
    assertEquals(xattrSet(shuffled), expected);
    assertEquals(parseXattrSet(expected).map(([name, value]) => [new TextDecoder().decode(name), value]), xattrs);
  });
}

Deno.test("xattrSet() is undefined for none, which parses as none", () => {
  assertEquals(xattrSet([]), undefined);
  assertEquals(parseXattrSet(undefined), []);
  assertEquals(parseXattrSet(new Uint8Array(0)), []);
});

Deno.test("parseXattrSet() refuses every truncation and survives every changed byte", () => {
  const good = xattrSet([[encoder.encode("user.a"), encoder.encode("1")], [
    encoder.encode("user.b"),
    new Uint8Array(3),
  ]])!;
  for (let length = 1; length < good.length; length++) {
    assertThrows(() => parseXattrSet(good.slice(0, length)), RangeError, "A set of extended attributes is malformed");
  }
  for (let at = 0; at < good.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const bad = good.slice();
      bad[at] = value;
      try {
        parseXattrSet(bad);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }
});

Deno.test("offsetWidth() is the smallest that can say the whole size", () => {
  assertEquals(
    [[254, 1], [255, 1], [0xfffd, 1], [0xfffe, 1], [200, 55], [200, 56]].map(([body, n]) => offsetWidth(body!, n!)),
    [
      1,
      2,
      2,
      4,
      1,
      2,
    ],
  );
});

for (
  const [what, target, xattrs] of [
    ["a plain file", "", undefined],
    ["a file with xattrs", "", xattrSet([[encoder.encode("user.a"), new Uint8Array(300)]])],
    ["a symlink", "../target", undefined],
    ["a long symlink with xattrs", "t".repeat(4000), xattrSet([[encoder.encode("user.a"), encoder.encode("1")]])],
  ] as const
) {
  Deno.test(`fileHeader() is the variant that ostree hashes: ${what}`, () => {
    const meta = { uid: 0xfffffffe, gid: 12, mode: 0o104755, size: 5, xattrs };
    const header = fileHeader(meta, encoder.encode(target));
    const size = new DataView(header.buffer).getUint32(0);
    assertEquals([size, header.slice(4, 8)], [header.length - 8, new Uint8Array(4)]);
    const pairs = decode("a(ayay)", xattrs ?? new Uint8Array(0));
    assertEquals(header.slice(8), encode("(uuuusa(ayay))", [big(meta.uid), big(12), big(0o104755), 0, target, pairs]));
  });
}

Deno.test("putPlainHeader() is fileHeader() without xattrs and target", () => {
  const buffer = new Uint8Array(PLAIN_HEADER_BYTES).fill(0xaa);
  putPlainHeader(buffer, 70000, 0x80000001, 0o100644);
  assertEquals(buffer, fileHeader({ uid: 70000, gid: 0x80000001, mode: 0o100644, size: 0, xattrs: undefined }));
});

Deno.test("dirmetaBytes() and ownerBytes() are (uuua(ayay))", () => {
  const xattrs = xattrSet([[encoder.encode("user.a"), encoder.encode("1")]]);
  const pairs = decode("a(ayay)", xattrs!);
  assertEquals(
    dirmetaBytes({ uid: 1, gid: 2, mode: 0o1777 }),
    encode("(uuua(ayay))", [big(1), big(2), big(0o41777), []]),
  );
  assertEquals(ownerBytes(1, 2, 0o100600, xattrs), encode("(uuua(ayay))", [big(1), big(2), big(0o100600), pairs]));
});

Deno.test("binaryString() keeps any bytes of any length, and sorts as compareBytes()", () => {
  const long = new Uint8Array(10_000).map((_, i) => i * 7);
  assertEquals(fromBinaryString(binaryString(long)), long);
  assertEquals(binaryString(long, 5, 9), binaryString(long.slice(5, 9)));
  const names = [[0xff], [0x61], [0xc3, 0xa4], [0x61, 0x00], []].map((bytes) => new Uint8Array(bytes));
  assertEquals(
    names.toSorted(compareBytes).map((bytes) => binaryString(bytes)),
    names.map((bytes) => binaryString(bytes)).sort(),
  );
  assertEquals(displayPath(binaryString(encoder.encode("usr/ä"))), "usr/ä");
});
