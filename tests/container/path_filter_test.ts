import { assertEquals, assertThrows } from "@std/assert";
import { filterPath, type FilterRules, normalizePath } from "../../lib/container/path_filter.ts";

const USR: FilterRules = { keepAll: false, varPath: "usr/share/factory/var", policy: "" };
const ALL: FilterRules = { keepAll: true, varPath: "var", policy: "" };

const cases: [path: string, usr: string, all: string][] = [
  ["", "ignore", "ignore"],
  ["usr", "usr", "usr"],
  ["usr/bin/sh", "usr/bin/sh", "usr/bin/sh"],
  ["usr/etc/a", "usr/etc/a", "usr/etc/a"],
  ["etc", "usr/etc", "usr/etc"],
  ["etc/a", "usr/etc/a", "usr/etc/a"],
  ["etcetera", "drop etcetera", "etcetera"],
  ["var", "usr/share/factory/var", "var"],
  ["var/lib/a", "usr/share/factory/var/lib/a", "var/lib/a"],
  ["dev", "dev", "dev"],
  ["dev/null", "ignore", "ignore"],
  ["run/lock/a", "ignore", "ignore"],
  ["tmp/a", "ignore", "ignore"],
  ["proc/1", "ignore", "ignore"],
  ["sys/a", "ignore", "ignore"],
  ["opt", "drop opt", "opt"],
  ["opt/a/b", "drop opt", "opt/a/b"],
  ["bin/sh", "drop bin", "bin/sh"],
  ["sysroot", "drop sysroot", "sysroot"],
  ["sysroot/ostree/repo/config", "ignore", "ignore"],
  [".wh.etc", "usr/.wh.etc", "usr/.wh.etc"],
  [".wh.var", "usr/share/factory/.wh.var", ".wh.var"],
  [".wh.usr", ".wh.usr", ".wh.usr"],
  [".wh.opt", "drop .wh.opt", ".wh.opt"],
  [".wh..wh..opq", ".wh..wh..opq", ".wh..wh..opq"],
  ["etc/.wh.a", "usr/etc/.wh.a", "usr/etc/.wh.a"],
];

for (const [path, usr, all] of cases) {
  Deno.test(`filterPath() decides on "${path}"`, () => {
    const shown = (rules: FilterRules) => {
      const filtered = filterPath(path, rules);
      return filtered.kind === "keep" ? filtered.path : filtered.kind === "drop" ? `drop ${filtered.top}` : "ignore";
    };
    assertEquals([shown(USR), shown(ALL)], [usr, all]);
  });
}

Deno.test("normalizePath() takes slashes and dots away", () => {
  const paths = ["a", "/a", "./a", "a/", ".//a/./", "///a///"];
  assertEquals(paths.map(normalizePath), paths.map(() => "a"));
  assertEquals(["", ".", "/", "./", "..a/b..", "a/.../b"].map(normalizePath), ["", "", "", "", "..a/b..", "a/.../b"]);
});

Deno.test("normalizePath() refuses what no path is", () => {
  for (const path of ["..", "../a", "a/..", "a/../b", "/.."]) {
    assertThrows(() => normalizePath(path), SyntaxError, 'A path holds ".."');
  }
  assertThrows(() => normalizePath("a\0b"), SyntaxError, "A path holds a NUL byte");
  assertEquals(normalizePath("a".repeat(4095)).length, 4095);
  assertThrows(() => normalizePath("a".repeat(4096)), SyntaxError, "A path has 4096 bytes; Linux takes 4095");
});
