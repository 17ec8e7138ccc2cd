import { assertEquals, assertRejects } from "@std/assert";
import { Descriptor } from "../../lib/sys/descriptor.ts";
import { Interrupted } from "../../lib/sys/errors.ts";
import { AT_FDCWD, openDirectoryAt } from "../../lib/sys/libc.ts";
import { removeBelow } from "../../lib/sys/remove_tree.ts";
import { addToRoot, deepRoot, directory, fifo, symlink, text } from "../root_files.ts";
import { tempDir } from "../temp.ts";

const never = new AbortController().signal;

async function remove(path: string, keep?: (name: string) => boolean): Promise<string[]> {
  const failures: string[] = [];
  using open = new Descriptor(openDirectoryAt(AT_FDCWD, path));
  await removeBelow(open.fd, {
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
  assertEquals(await remove(`${root.path}/in`, (name) => name === "kept"), []);
  assertEquals([...Deno.readDirSync(`${root.path}/in`)].map(({ name }) => name), ["kept"]);
  assertEquals(await Deno.readTextFile(`${root.path}/in/kept/inside`), "y");
  assertEquals(await Deno.readTextFile(`${root.path}/outside/file`), "mine");
});

Deno.test("removeBelow() removes directories deeper than a path can be, with few descriptors", async () => {
  await using root = await deepRoot(3000);
  assertEquals(await remove(root.path), []);
  assertEquals([...Deno.readDirSync(root.path)], []);
});

Deno.test("removeBelow() ends at a signal", async () => {
  await using root = await tempDir();
  addToRoot(root.path, { file: text("") });
  using open = new Descriptor(openDirectoryAt(AT_FDCWD, root.path));
  await assertRejects(() => removeBelow(open.fd, { signal: AbortSignal.abort(), failed: () => {} }), Interrupted);
  assertEquals(await Deno.readTextFile(`${root.path}/file`), "");
});

Deno.test("removeBelow() hears a signal that comes while it works", async () => {
  await using root = await tempDir();
  for (let i = 0; i < 40_000; i++) Deno.writeFileSync(`${root.path}/${i}`, new Uint8Array(0));
  using open = new Descriptor(openDirectoryAt(AT_FDCWD, root.path));
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 0);
  await assertRejects(() => removeBelow(open.fd, { signal: controller.signal, failed: () => {} }), Interrupted);
  assertEquals([...Deno.readDirSync(root.path)].length > 0, true);
});
