import { assertEquals, assertThrows } from "@std/assert";
import { Root } from "../../lib/rootfs/root.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { directory, fifo, rootOf, type RootTree, symlink, text } from "../root_files.ts";

const tree: RootTree = {
  "etc/passwd": text("of the root"),
  "usr/lib/data": text("x"),
  "usr/lib/fifo": fifo,
  lib: symlink("usr/lib"),
  absolute: symlink("/etc"),
  upwards: symlink("../../../../../etc"),
  "usr/lib/upwards": symlink("../../../../../../etc/passwd"),
  chain: symlink("absolute/../upwards"),
  top: symlink("/"),
  self: symlink("self"),
  ping: symlink("pong"),
  pong: symlink("ping"),
  dangling: symlink("nowhere/at/all"),
  "n\xff": text("bytes"),
  bytes: symlink("n\xff"),
};

const reads: [path: string, content: string | undefined][] = [
  ["etc/passwd", "of the root"],
  ["/etc/./passwd", "of the root"],
  ["lib/data", "x"],
  ["absolute/passwd", "of the root"],
  ["upwards/passwd", "of the root"],
  ["usr/lib/upwards", "of the root"],
  ["chain/passwd", "of the root"],
  ["top/top/etc/passwd", "of the root"],
  ["../../etc/passwd", "of the root"],
  ["usr/lib/../../etc/passwd", "of the root"],
  ["n\xff", "bytes"],
  ["bytes", "bytes"],
  ["self", undefined],
  ["ping/x", undefined],
  ["dangling", undefined],
  ["etc/passwd/below", undefined],
  ["etc/passwd/../passwd", undefined],
  ["etc", undefined],
  ["top", undefined],
  ["usr/lib/fifo", undefined],
  ["", undefined],
];

for (const [path, content] of reads) {
  Deno.test(`Root.readFile() reads ${content === undefined ? "nothing" : JSON.stringify(content)} at ${JSON.stringify(path)}`, async () => {
    await using tmp = await rootOf(tree);
    using root = Root.open(tmp.path);
    const bytes = root.readFile(path);
    assertEquals(bytes && new TextDecoder().decode(bytes), content);
  });
}

Deno.test("Root.readFile() refuses a file that is larger than expected", async () => {
  await using tmp = await rootOf({ "a b": text("12345") });
  using root = Root.open(tmp.path);
  assertEquals(root.readFile("a b", 5)?.length, 5);
  assertThrows(() => root.readFile("a b", 4), UserError, "File '/a b' has 5 bytes, more than the 4 expected");
});

Deno.test("Root.stat() looks at a link itself, and behind the links on the way", async () => {
  await using tmp = await rootOf(tree);
  using root = Root.open(tmp.path);
  const type = (path: string) => root.stat(path)?.type;
  assertEquals([type("lib"), type("lib/data"), type("self"), type("lib/fifo")], ["symlink", "file", "symlink", "fifo"]);
  assertEquals([type(""), type("nothing"), type("self/x"), type("top/etc")], [
    "directory",
    undefined,
    undefined,
    "directory",
  ]);
  assertEquals([root.readLink("lib"), root.readLink("etc"), root.readLink("bytes")], ["usr/lib", undefined, "n\xff"]);
});

Deno.test("Root.names() lists names in order of their bytes", async () => {
  await using tmp = await rootOf({
    "d/b": text(""),
    "d/B": directory,
    "d/\xc3\xa9": text(""),
    "d/a\xff": symlink("x"),
    link: symlink("d"),
  });
  using root = Root.open(tmp.path);
  const names = [["B", "directory"], ["a\xff", "symlink"], ["b", "file"], ["\xc3\xa9", "file"]];
  assertEquals(root.names("link")?.map(({ name, type }) => [name, type]), names);
  assertEquals(root.names("d/b"), undefined);
});

Deno.test("Root.parent() tells two ways to one place", async () => {
  await using tmp = await rootOf({ "var/roothome/.ssh": directory, root: symlink("var/roothome") });
  using root = Root.open(tmp.path);
  assertEquals(root.parent("/root/.ssh"), root.parent("var/roothome/.ssh"));
  assertEquals(root.parent("root/nothing")?.name, "nothing");
  assertEquals(root.parent("nowhere/nothing"), undefined);
});

Deno.test("Root leaves no descriptor open", async () => {
  await using tmp = await rootOf(tree);
  const count = () => Array.from(Deno.readDirSync("/proc/self/fd")).length;
  const before = count();
  {
    using root = Root.open(tmp.path);
    for (const [path] of reads) {
      root.readFile(path);
      root.stat(path);
      root.names(path);
      root.parent(path);
    }
  }
  assertEquals(count(), before);
});
