import { assertEquals, assertThrows } from "@std/assert";
import { encode } from "../../lib/codec/gvariant.ts";
import { sha256 } from "../../lib/codec/sha256.ts";
import { type DirtreeMembers, walkDirtree, writeDirtree } from "../../lib/ostree/dirtree.ts";
import { DirectMetadataStream } from "../../lib/ostree/metadata_stream.ts";
import { binaryString, fromBinaryString } from "../../lib/ostree/objects.ts";
import type { Bytes } from "../../lib/sys/libc.ts";

const encoder = new TextEncoder();
const sum = (text: string) => sha256(encoder.encode(text));

type File = [name: string, checksum: Bytes];
type Directory = [name: string, tree: Bytes, meta: Bytes];

function encoded(files: File[], directories: Directory[] = []): Bytes {
  return encode("(a(say)a(sayay))", [files, directories]);
}

/** What the walk finds. */
function walked(bytes: Bytes): { files: File[]; directories: Directory[] } {
  const files: File[] = [], directories: Directory[] = [];
  walkDirtree(bytes, {
    file: (b, start, end, at) => files.push([binaryString(b, start, end), b.slice(at, at + 32)]),
    directory: (b, start, end, at) =>
      directories.push([binaryString(b, start, end), b.slice(at, at + 32), b.slice(at + 32, at + 64)]),
  });
  return { files, directories };
}

/** Collects what a stream writes, through the buffer that large objects overflow. */
function written(files: File[], directories: Directory[]): Bytes {
  const pieces: Bytes[] = [];
  const all = () => new Uint8Array(pieces.flatMap((piece) => [...piece]));
  const stream = new DirectMetadataStream({
    whole: (bytes) => bytes.slice(),
    begin: () => {},
    piece: (bytes) => pieces.push(bytes.slice()),
    end: all,
  });
  const members = (list: readonly (File | Directory)[]): DirtreeMembers => ({
    count: list.length,
    nameLength: (i) => list[i]![0].length,
    putName: (out, i) => out.bytes(fromBinaryString(list[i]![0]), 0, list[i]![0].length),
    putChecksums: (out, i) => list[i]!.slice(1).forEach((checksum) => out.bytes(checksum as Bytes, 0, 32)),
  });
  return writeDirtree(stream, members(files), members(directories));
}

const file = (name: string): File => [name, sum(name)];
const directory = (name: string): Directory => [name, sum(name), sum(`${name} meta`)];
const range = (count: number, width: number) => Array.from({ length: count }, (_, i) => String(i).padStart(width, "0"));

const trees: [what: string, files: File[], directories: Directory[]][] = [
  ["nothing", [], []],
  ["one file", [file("a")], []],
  ["one directory", [], [directory("d")]],
  ["files and directories", ["a", "ab", "b"].map(file), ["d", "e"].map(directory)],
  ["names of 255 bytes", [file("n".repeat(255))], [directory("m".repeat(255))]],
  ["names about the width of an offset", range(40, 190).map(file), range(40, 158).map(directory)],
  ["enough for two-byte offsets", range(6, 3).map(file), range(3, 3).map(directory)],
  ["enough for four-byte offsets", range(3000, 5).map(file), range(500, 5).map(directory)],
];

for (const [what, files, directories] of trees) {
  Deno.test(`writeDirtree() writes ${what} as GVariant does, and walkDirtree() reads it`, () => {
    const expected = encoded(files, directories);
    assertEquals(written(files, directories), expected);
    assertEquals(walked(expected), { files, directories });
  });
}

const NAME_RULES: [what: string, tree: Bytes, says: string][] = [
  ["no name", encoded([file("")]), "a name is empty, too long or not terminated"],
  ["a name of 256 bytes", encoded([file("n".repeat(256))]), "a name is empty, too long or not terminated"],
  ["a dot", encoded([file(".")]), "a name is a dot or two"],
  ["two dots", encoded([], [directory("..")]), "a name is a dot or two"],
  ["a slash", encoded([file("a/b")]), "a name holds a slash or NUL"],
  ["equal names", encoded([file("a"), file("a")]), "its names are not sorted"],
  ["unsorted files", encoded([file("b"), file("a")]), "its names are not sorted"],
  ["unsorted directories", encoded([], [directory("b"), directory("a")]), "its names are not sorted"],
  ["a prefix behind the longer name", encoded([file("ab"), file("a")]), "its names are not sorted"],
  ["a checksum of 31 bytes", encoded([["a", new Uint8Array(31)]]), "a file's entry has a wrong length"],
  [
    "a checksum of 33 bytes",
    encoded([], [["a", new Uint8Array(32), new Uint8Array(33)]]),
    "a directory's entry has a wrong length",
  ],
  ["nothing at all", new Uint8Array(0), "it is empty"],
];

for (const [what, tree, says] of NAME_RULES) {
  Deno.test(`walkDirtree() refuses ${what}`, () => {
    assertThrows(() => walked(tree), RangeError, `A dirtree object is malformed: ${says}`);
  });
}

Deno.test("walkDirtree() takes dots among other characters, and UTF-8", () => {
  const names = ["...", "..a", ".a", "a.", "ä", "名"];
  const found = walked(encoded(names.map(file))).files.map(([name]) =>
    new TextDecoder().decode(fromBinaryString(name))
  );
  assertEquals(found, names);
});

Deno.test("walkDirtree() refuses names that are not UTF-8", () => {
  for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
    const tree = encoded([file("#".repeat(bytes.length))]);
    tree.set(bytes, tree.indexOf(0x23));
    assertThrows(() => walked(tree), RangeError, "a name is not UTF-8");
  }
});

Deno.test("walkDirtree() refuses every truncation and survives every changed byte", () => {
  const good = encoded(["a", "bb"].map(file), ["c"].map(directory));
  for (let length = 0; length < good.length; length++) assertThrows(() => walked(good.slice(0, length)), RangeError);
  for (let at = 0; at < good.length; at++) {
    for (const value of [0x00, 0x01, 0x2f, 0x7f, 0xff]) {
      const bad = good.slice();
      bad[at] = value;
      try {
        walked(bad);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }
});
