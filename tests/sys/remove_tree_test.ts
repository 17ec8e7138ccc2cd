import { assertEquals, assertThrows } from "@std/assert";
import { Descriptor } from "../../lib/sys/descriptor.ts";
import { Interrupted } from "../../lib/sys/errors.ts";
import { AT_FDCWD, openDirectoryAt } from "../../lib/sys/libc.ts";
import { removeBelow } from "../../lib/sys/remove_tree.ts";
import { addToRoot, deepRoot, directory, fifo, symlink, text } from "../root_files.ts";
import { tempDir } from "../temp.ts";

const never = new AbortController().signal;

function remove(path: string, keep?: (name: string) => boolean): string[] {
  const failures: string[] = [];
  using open = new Descriptor(openDirectoryAt(AT_FDCWD, path));
  removeBelow(open.fd, {
    signal: never,
    failed: (name, error) => failures.push(`${name}: ${error.message}`),
    ...(keep && { keep }),
  });
  return failures;
}

Deno.test("removeBelow() removes all kinds of files, and nothing that links lead to", async () => {
  await using root = await tempDir();
  addToRoot(root.path, {
    "outside/file": text("mine"),
    "in/a/b/c": text("x"),
    "in/a/empty": directory,
    "in/kept/inside": text("y"),
    "in/link": symlink("../outside"),
    "in/a/absolute": symlink(`${root.path}/outside`),
    "in/pipe": fifo,
    "in/odd \xff name": text(""),
    "in/deep/kept": text("only at the top is it kept"),
  });
  assertEquals(remove(`${root.path}/in`, (name) => name === "kept"), []);
  assertEquals([...Deno.readDirSync(`${root.path}/in`)].map(({ name }) => name), ["kept"]);
  assertEquals(await Deno.readTextFile(`${root.path}/in/kept/inside`), "y");
  assertEquals(await Deno.readTextFile(`${root.path}/outside/file`), "mine");
});

Deno.test("removeBelow() removes directories deeper than a path can be, with few descriptors", async () => {
  await using root = await deepRoot(3000);
  assertEquals(remove(root.path), []);
  assertEquals([...Deno.readDirSync(root.path)], []);
});

Deno.test("removeBelow() ends at a signal", async () => {
  await using root = await tempDir();
  addToRoot(root.path, { file: text("") });
  using open = new Descriptor(openDirectoryAt(AT_FDCWD, root.path));
  assertThrows(() => removeBelow(open.fd, { signal: AbortSignal.abort(), failed: () => {} }), Interrupted);
  assertEquals(await Deno.readTextFile(`${root.path}/file`), "");
});
