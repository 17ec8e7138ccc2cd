import { assertEquals, assertThrows } from "@std/assert";
import { tarEnd, type TarHeader, tarHeader, tarPadding, xattrKeyword } from "../../lib/codec/tar_write.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { capture } from "../../lib/sys/run.ts";
import { concat } from "../image.ts";
import { tempDir } from "../temp.ts";
import { latin1, walkTar } from "./tar_sink.ts";

const ctx = plainContext(Deno.env.toObject());
const text = (value: string) => new TextEncoder().encode(value);
const base: TarHeader = { name: "name", type: "file", mode: 0o644, uid: 0, gid: 0 };

/** What GNU tar lists of one entry. */
async function listed(entry: TarHeader, format: "gnu" | "pax"): Promise<string> {
  await using tmp = await tempDir();
  const body = new Uint8Array(entry.size ?? 0);
  const tar = concat([tarHeader(entry, { format }), body, tarPadding(body.length), tarEnd]);
  await Deno.writeFile(`${tmp.path}/a.tar`, tar);
  const argv = ["tar", "--xattrs", "--numeric-owner", "--utc", "-tvvf", `${tmp.path}/a.tar`] as const;
  return (await capture(ctx, [...argv])).replaceAll(/ +/g, " ").trim();
}

const long = `${"d/".repeat(50)}${"f".repeat(101)}`;
const split = `${"prefix/".repeat(20)}name`;
const ENTRIES: [what: string, entry: Partial<TarHeader>, line: string][] = [
  ["a file", { size: 5, uid: 1000, gid: 7, mtime: 86400 }, "-rw-r--r-- 1000/7 5 1970-01-02 00:00 name"],
  ["a directory", { name: "d/", type: "directory", mode: 0o1777 }, "drwxrwxrwt 0/0 0 1970-01-01 00:00 d/"],
  ["a symlink", { type: "symlink", link: "to", mode: 0o777 }, "lrwxrwxrwx 0/0 0 1970-01-01 00:00 name -> to"],
  ["a hardlink", { type: "hardlink", link: "to" }, "hrw-r--r-- 0/0 0 1970-01-01 00:00 name link to to"],
  [
    "a character device",
    { type: "characterDevice", device: { major: 1, minor: 3 } },
    "crw-r--r-- 0/0 1,3 1970-01-01 00:00 name",
  ],
  [
    "a block device",
    { type: "blockDevice", device: { major: 8, minor: 0 } },
    "brw-r--r-- 0/0 8,0 1970-01-01 00:00 name",
  ],
  ["a fifo", { type: "fifo" }, "prw-r--r-- 0/0 0 1970-01-01 00:00 name"],
  ["a long name", { name: long }, `-rw-r--r-- 0/0 0 1970-01-01 00:00 ${long}`],
  ["a name in two fields", { name: split }, `-rw-r--r-- 0/0 0 1970-01-01 00:00 ${split}`],
  ["a long link", { type: "symlink", link: long }, `lrw-r--r-- 0/0 0 1970-01-01 00:00 name -> ${long}`],
  ["all long", { name: long, type: "symlink", link: long }, `lrw-r--r-- 0/0 0 1970-01-01 00:00 ${long} -> ${long}`],
  ["large ids", { uid: 4_000_000_000, gid: 2_097_152 }, "-rw-r--r-- 4000000000/2097152 0 1970-01-01 00:00 name"],
  ["xattrs", { xattrs: [["user.a", text("x")]] }, "-rw-r--r--* 0/0 0 1970-01-01 00:00 name"],
  [
    "xattrs and a long name",
    { name: long, xattrs: [["user.a", text("x")]] },
    `-rw-r--r--* 0/0 0 1970-01-01 00:00 ${long}`,
  ],
];
for (const [what, entry, line] of ENTRIES) {
  for (const format of ["gnu", "pax"] as const) {
    Deno.test(`tarHeader() in ${format} format: GNU tar reads ${what}`, async () => {
      assertEquals(await listed({ ...base, ...entry }, format), line);
    });
  }
}

Deno.test("tarHeader() writes sizes beyond 8 GiB in both formats", () => {
  for (const format of ["gnu", "pax"] as const) {
    const header = tarHeader({ ...base, size: 2 ** 40 }, { format });
    const sizes: number[] = [];
    const { walk } = walkTar(header, () => 512, 0);
    assertEquals([walk.entries, sizes], [1, []]);
    assertEquals(header.length, format === "gnu" ? 512 : 1536);
  }
});

Deno.test("tarHeader() counts the digits of a record's own length", () => {
  for (let length = 60; length < 120; length++) {
    const value = new Uint8Array(length).fill(0x61);
    const { seen } = walkTar(concat([tarHeader({ ...base, xattrs: [["user.a", value]] }), tarEnd]));
    assertEquals(seen[0]!.pax, { "SCHILY.xattr.user.a": "a".repeat(length) });
  }
});

Deno.test("tarHeader() takes names that are no UTF-8", () => {
  const name = new Uint8Array(150).fill(0xff);
  for (const format of ["gnu", "pax"] as const) {
    const { seen } = walkTar(concat([tarHeader({ ...base, name }, { format }), tarEnd]));
    assertEquals(seen[0]!.name, "\xff".repeat(150));
  }
});

Deno.test("tarHeader() takes names of attributes that are no UTF-8, and several binary values", () => {
  const xattrs = [[Uint8Array.of(0x75, 0xff), Uint8Array.of(0, 1)], ["user.a", Uint8Array.of(0x3d, 0x0a)]] as const;
  const { seen } = walkTar(concat([tarHeader({ ...base, xattrs: [xattrs[1]] }), tarEnd]));
  assertEquals(seen[0]!.pax, { "SCHILY.xattr.user.a": "=\n" });
  const record = new TextDecoder("latin1").decode(tarHeader({ ...base, xattrs }));
  assertEquals(record.includes("22 SCHILY.xattr.u\xff=\0\x01\n26 SCHILY.xattr.user.a==\n\n"), true);
});

for (const [name, keyword] of [["user.a", "user.a"], ["user.a=b%", "user.a%3Db%25"], ["\xff", "\xff"]] as const) {
  Deno.test(`xattrKeyword() writes ${JSON.stringify(name)} as GNU tar does`, () => {
    assertEquals(latin1(xattrKeyword(Uint8Array.from(name, (letter) => letter.charCodeAt(0)))), keyword);
  });
}

const REFUSED: [entry: Partial<TarHeader>, message: string][] = [
  [{ name: "" }, "A tar entry needs a name"],
  [{ name: "a\0b" }, "A tar entry's name cannot hold a NUL"],
  [{ link: "a\0b" }, "A tar entry's link cannot hold a NUL"],
  [{ uid: -1 }, "A tar header cannot hold the number -1"],
  [{ size: 1.5 }, "A tar header cannot hold the number 1.5"],
  [{ xattrs: [["user.a=b", text("")]] }, '"SCHILY.xattr.user.a=b" cannot be the key of a PAX record'],
];
for (const [entry, message] of REFUSED) {
  Deno.test(`tarHeader() says: ${message}`, () => {
    assertEquals(assertThrows(() => tarHeader({ ...base, ...entry }), RangeError).message, message);
  });
}

Deno.test("tarPadding() fills up to whole blocks", () => {
  assertEquals([0, 1, 511, 512, 513].map((size) => tarPadding(size).length), [0, 511, 1, 0, 511]);
  assertEquals(tarEnd, new Uint8Array(1024));
});
