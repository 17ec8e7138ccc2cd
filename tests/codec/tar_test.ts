import { assertEquals, assertThrows } from "@std/assert";
import { tarEnd, tarHeader, tarPadding } from "../../lib/codec/tar_write.ts";
import { UserError } from "../../lib/sys/errors.ts";
import type { Bytes } from "../../lib/sys/libc.ts";
import { concat, file, image } from "../image.ts";
import { block, extension, flag, pax, plain, record, set, text } from "./tar_blocks.ts";
import { latin1, type Seen, walkTar } from "./tar_sink.ts";

const only = (...parts: Bytes[]): Seen => {
  const { seen, walk } = walkTar(concat([...parts, tarEnd]));
  assertEquals([seen.length, walk.clean], [1, true]);
  return seen[0]!;
};

const basic: Seen = { type: "0", name: "name", link: "", mode: 0o644, uid: 0, gid: 0, body: "", pax: {} };
const long = "d/".repeat(60) + "f".repeat(120);

const READ: [what: string, parts: Bytes[], seen: Partial<Seen>][] = [
  ["a file", [block({ size: 3 }), text("abc"), tarPadding(3)], { body: "abc" }],
  ["a file of a whole block", [block({ size: 512 }), text("x".repeat(512))], { body: "x".repeat(512) }],
  ["a version 7 header", [block({}, (h) => h.fill(0, 156, 157) && h.fill(0, 257))], {}],
  ["a version 7 directory", [block({ name: "d/" }, (h) => h.fill(0, 156))], { name: "d/", type: "5" }],
  ["a directory that says it is a file", [block({ name: "d/" })], { name: "d/", type: "5" }],
  ["such a directory with a body", [block({ name: "d/", size: 5 }), text("abcde"), tarPadding(5)], {
    name: "d/",
    type: "5",
  }],
  ["a directory with a size but no body", [block({ type: "directory", size: 4096 })], { type: "5" }],
  ["a contiguous file", [block({ size: 1 }, flag("7")), text("x"), tarPadding(1)], { body: "x" }],
  ["an unknown type", [block({ name: "n/", size: 1 }, flag("9")), text("x"), tarPadding(1)], { name: "n/", body: "x" }],
  ["a hardlink", [block({ type: "hardlink", link: "a" })], { type: "1", link: "a" }],
  ["a hardlink with a size", [block({ type: "hardlink", link: "a", size: 999 })], { type: "1", link: "a" }],
  ["a hardlink with a PAX size", [pax(["size", "999"]), block({ type: "hardlink", link: "a" })], {
    type: "1",
    link: "a",
    pax: { size: "999" },
  }],
  ["a symlink", [block({ type: "symlink", link: "../x" })], { type: "2", link: "../x" }],
  ["a symlink of 100 bytes", [block({ type: "symlink", link: "l".repeat(100) })], { type: "2", link: "l".repeat(100) }],
  ["a file's link field, not looked at", [block({ link: "ghost" })], {}],
  ["devices", [block({ type: "characterDevice", device: { major: 1, minor: 3 } })], { type: "3" }],
  ["a fifo", [block({ type: "fifo" })], { type: "6" }],
  ["a name of 100 bytes", [block({ name: "n".repeat(100) })], { name: "n".repeat(100) }],
  ["a ustar prefix", [block({}, (h) => (set(257, "ustar\u000000")(h), set(345, "some/prefix")(h)))], {
    name: "some/prefix/name",
  }],
  ["no prefix in a GNU header", [block({}, set(345, "13371337133"))], {}],
  ["GNU long name and link", [tarHeader({ name: long, type: "symlink", link: long, ...plain })], {
    type: "2",
    name: long,
    link: long,
  }],
  ["a GNU long name without its NUL", [extension("L", text("long")), block({})], { name: "long" }],
  ["PAX path, linkpath, uid, gid", [
    pax(["path", "p"], ["linkpath", "l"], ["uid", "4294967294"], ["gid", "7"], ["mtime", "1.5"]),
    block({ type: "symlink", link: "x" }),
  ], {
    type: "2",
    name: "p",
    link: "l",
    uid: 4294967294,
    gid: 7,
    pax: { path: "p", linkpath: "l", uid: "4294967294", gid: "7" },
  }],
  ["PAX size", [pax(["size", "3"]), block({ size: 0 }), text("abc"), tarPadding(3)], {
    body: "abc",
    pax: { size: "3" },
  }],
  ["PAX over a GNU long name", [extension("L", text("gnu\0")), pax(["path", "pax"]), block({})], {
    name: "pax",
    pax: { path: "pax" },
  }],
  ["a repeated PAX key", [pax(["uid", "1"], ["uid", "2"]), block({})], { uid: 2, pax: { uid: "2" } }],
  ["two PAX headers", [pax(["uid", "1"], ["gid", "1"]), pax(["uid", "2"]), block({})], {
    uid: 2,
    gid: 1,
    pax: { uid: "2", gid: "1" },
  }],
  ["an empty PAX value", [pax(["path", "p"], ["path", ""]), block({})], {}],
  ["xattrs with any bytes", [
    tarHeader({
      name: "name",
      type: "file",
      ...plain,
      xattrs: [["user.a", text("a=\n\0b")], ["user.empty", text("")]],
    }),
  ], { pax: { "SCHILY.xattr.user.a": "a=\n\0b", "SCHILY.xattr.user.empty": "" } }],
  ["an xattr of 64 KiB and more", [
    tarHeader({
      name: "name",
      type: "file",
      ...plain,
      xattrs: [["user.a", new Uint8Array(1024 * 1024 - 30).fill(65)]],
    }),
  ], { pax: { "SCHILY.xattr.user.a": "A".repeat(1024 * 1024 - 30) } }],
  ["times alone as no records", [pax(["mtime", "1.5"], ["atime", "2"], ["ctime", "3"]), block({})], {}],
  ["global owner", [extension("g", text(record("uid", "5") + record("comment", "x"))), block({})], {
    uid: 5,
    pax: { uid: "5", comment: "x" },
  }],
  ["own over global records", [
    extension("g", text(record("uid", "5") + record("gid", "6"))),
    pax(["uid", "7"]),
    block({}),
  ], {
    uid: 7,
    gid: 6,
    pax: { uid: "7", gid: "6" },
  }],
  ["a base-256 owner", [block({ uid: 4_000_000_000, gid: 2_097_152 })], { uid: 4_000_000_000, gid: 2_097_152 }],
  ["numbers with blanks around", [block({}, (h) => (set(108, "   17 \0\0")(h), set(116, "0000021 ")(h)))], {
    uid: 15,
    gid: 17,
  }],
  ["blank numbers", [block({}, (h) => (h.fill(0x20, 108, 116), h.fill(0, 116, 124)))], {}],
  ["file type bits in the mode", [block({}, set(100, "0104755\0"))], { mode: 0o4755 }],
  ["a negative time", [block({}, (h) => h.fill(0xff, 136, 148))], {}],
  ["a signed checksum", [block({ name: "n\u00e9" }, () => {}, true)], { name: latin1(text("n\u00e9")) }],
  ["a name that is no UTF-8", [block({ name: new Uint8Array([0xff, 0x2f, 0xfe]) })], { name: "\xff/\xfe" }],
];
for (const [what, parts, seen] of READ) {
  Deno.test(`TarWalk reads ${what}`, () => assertEquals(only(...parts), { ...basic, ...seen }));
}

const AT = "Malformed tar archive at byte";
const FIRST = "before the first entry";
const REFUSED: [what: string, parts: Bytes[], message: string][] = [
  [
    "a wrong checksum",
    [block({}), block({}).fill(0x31, 0, 1)],
    `${AT} 512, after entry 1 "name": Wrong header checksum`,
  ],
  ["text", [text("<html>".repeat(100))], `${AT} 0, ${FIRST}: Wrong header checksum`],
  ["no name", [block({}, (h) => h.fill(0, 0, 100))], `${AT} 0, ${FIRST}: Entry without a name`],
  [
    "a negative size",
    [block({}, (h) => h.fill(0xff, 124, 136))],
    `${AT} 0, ${FIRST}: Header field size is no number from 0 to 2^53`,
  ],
  [
    "a size over 2^53",
    [block({}, (h) => h.fill(0xff, 125, 136).fill(0x80, 124, 125))],
    `${AT} 0, ${FIRST}: Header field size is no number from 0 to 2^53`,
  ],
  [
    "letters for a number",
    [block({}, set(100, "rwxr-xr-"))],
    `${AT} 0, in entry 1 "name": Header field mode is no number from 0 to 2^53`,
  ],
  ["an owner of -1", [block({ uid: 0xffffffff })], `${AT} 0, in entry 1 "name": uid 4294967295 is out of range`],
  ["a link to nothing", [block({ type: "symlink" })], `${AT} 0, in entry 1 "name": Link to nothing`],
  [
    "a PAX number that is none",
    [pax(["uid", "-1"]), block({})],
    `${AT} 1024, in entry 1 "name": PAX uid "-1", which is no number from 0 to 2^53`,
  ],
  [
    "a PAX size that is none",
    [pax(["size", "1e3"]), block({})],
    `${AT} 1024, ${FIRST}: PAX size "1e3", which is no number from 0 to 2^53`,
  ],
  ["a PAX path with a NUL", [pax(["path", "a\0b"]), block({})], `${AT} 1024, ${FIRST}: Name with a NUL inside`],
  [
    "a PAX linkpath with a NUL",
    [pax(["linkpath", "a\0b"]), block({ type: "symlink", link: "x" })],
    `${AT} 1024, in entry 1 "name": Link target with a NUL inside`,
  ],
  [
    "a global path",
    [extension("g", text(record("path", "x")))],
    `${AT} 512, ${FIRST}: Global PAX header that sets path`,
  ],
  [
    "many global records",
    [extension("g", text(Array.from({ length: 300 }, (_, i) => record(`k${i}`, "v")).join("")))],
    `${AT} 512, ${FIRST}: Global PAX header with more than 256 records`,
  ],
  ["an empty GNU name", [extension("L", text("\0")), block({})], `${AT} 512, ${FIRST}: GNU long name that is empty`],
  ["a huge extension", [block({ size: 1 << 21 }, flag("x"))], `${AT} 0, ${FIRST}: Extended headers of more than 1 MiB`],
  [
    "huge extensions together",
    Array.from({ length: 12 }, () => pax(["comment", "c".repeat(100_000)])),
    `${AT} 1008640, ${FIRST}: Extended headers of more than 1 MiB`,
  ],
  ["an extension at the end", [pax(["uid", "1"])], `${AT} 1024, ${FIRST}: Extended header without an entry behind it`],
  [
    "bytes after the end",
    [block({}), tarEnd, new Uint8Array(600), text("x")],
    `${AT} 2136, after entry 1 "name": Bytes after the end of the archive`,
  ],
  [
    "an entry after one zero block",
    [block({}), new Uint8Array(512), block({})],
    `${AT} 1024, after entry 1 "name": Bytes after the end of the archive`,
  ],
  ["a record without length", [extension("x", text("uid=1\n"))], `${AT} 512, ${FIRST}: PAX record without a length`],
  [
    "a record of length 0",
    [extension("x", text("0 uid=1\n"))],
    `${AT} 512, ${FIRST}: PAX record that does not end where it says`,
  ],
  [
    "a record that is too long",
    [extension("x", text("99 uid=1\n"))],
    `${AT} 512, ${FIRST}: PAX record longer than its header`,
  ],
  [
    "a record with an endless length",
    [extension("x", text("9".repeat(400)))],
    `${AT} 512, ${FIRST}: PAX record without a length`,
  ],
  [
    "a record without newline",
    [extension("x", text("8 uid=1x"))],
    `${AT} 512, ${FIRST}: PAX record that does not end where it says`,
  ],
  ["a record without key", [extension("x", text("5 =1\n"))], `${AT} 512, ${FIRST}: PAX record without a key`],
  ["a record without value", [extension("x", text("6 uid\n"))], `${AT} 512, ${FIRST}: PAX record without a key`],
  [
    "a key that is no UTF-8",
    [extension("x", new Uint8Array([0x36, 0x20, 0xff, 0x3d, 0x31, 0x0a]))],
    `${AT} 512, ${FIRST}: PAX record whose key is not UTF-8`,
  ],
  ["a NUL in a key", [pax(["SCHILY.xattr.user.a\0b", "v"])], `${AT} 512, ${FIRST}: PAX record with a NUL in its key`],
  [
    "an attribute without a name",
    [pax(["SCHILY.xattr.", "v"])],
    `${AT} 512, ${FIRST}: PAX record of an attribute without a name`,
  ],
  [
    "NULs behind the records",
    [extension("x", text("8 uid=1\n\0\0"))],
    `${AT} 512, ${FIRST}: PAX record without a length`,
  ],
];
for (const [what, parts, message] of REFUSED) {
  Deno.test(`TarWalk refuses ${what}`, () => {
    for (const size of [1, 100, 1 << 24]) {
      const error = assertThrows(() => walkTar(concat([...parts, tarEnd]), () => size), SyntaxError);
      assertEquals(error.message, message);
    }
  });
}

const UNSUPPORTED: [what: string, parts: Bytes[], message: string][] = [
  [
    "a GNU sparse file",
    [block({}, flag("S"))],
    'Cannot read "name" at byte 0 of a tar archive: it is stored as a sparse file',
  ],
  [
    "a PAX sparse file",
    [pax(["GNU.sparse.major", "1"]), block({})],
    'Cannot read "name" at byte 1024 of a tar archive: it is stored as a sparse file',
  ],
  [
    "a volume header",
    [block({}, flag("V"))],
    'Cannot read "name" at byte 0 of a tar archive: it has the vendor type "V"',
  ],
];
for (const [what, parts, message] of UNSUPPORTED) {
  Deno.test(`TarWalk does not support ${what}`, () => {
    const error = assertThrows(() => walkTar(concat(parts)), UserError);
    assertEquals([error.message, error.hint], [message, "Build the layer with a tool that writes plain files"]);
  });
}

const file512 = concat([block({ size: 3 }), text("abc"), tarPadding(3)]);
const CLEAN: [what: string, tar: Bytes, clean: boolean, ended: boolean][] = [
  ["nothing", new Uint8Array(0), false, false],
  ["entries without an end mark", file512, false, false],
  ["half a header", file512.subarray(0, 256), false, false],
  ["half a body", file512.subarray(0, 514), false, false],
  ["missing padding", file512.subarray(0, 600), false, false],
  ["one zero block", concat([file512, new Uint8Array(512)]), true, false],
  ["one and a half", concat([file512, new Uint8Array(768)]), false, false],
  ["half a zero block", concat([file512, new Uint8Array(256)]), false, false],
  ["the end mark alone", tarEnd, true, true],
  ["an end mark and zeros", concat([file512, new Uint8Array(10_240)]), true, true],
  ["an end mark and a few zeros", concat([file512, tarEnd, new Uint8Array(77)]), true, true],
];
for (const [what, tar, clean, ended] of CLEAN) {
  Deno.test(`TarWalk.clean is ${clean} after ${what}`, () => {
    for (const size of [1, 100, 1 << 24]) {
      const { walk } = walkTar(tar, () => size);
      assertEquals([walk.clean, walk.ended], [clean, ended]);
    }
  });
}

Deno.test("TarWalk streams what is larger than inlineBytes, the rest is whole", () => {
  const tar = image({ a: file("x".repeat(5000)), b: file("y".repeat(100)), c: file(""), d: file("z".repeat(101)) });
  const { streamed, seen, walk } = walkTar(tar, () => 700, 100);
  assertEquals([streamed, seen.map(({ body }) => body.length), walk.entries], [[5000, 101], [5000, 100, 0, 101], 4]);
});
