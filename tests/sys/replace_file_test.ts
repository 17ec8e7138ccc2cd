import { assertEquals, assertRejects } from "@std/assert";
import { fchmod, LibcError, writeAll } from "../../lib/sys/libc.ts";
import { replaceFile } from "../../lib/sys/replace_file.ts";
import { tempDir } from "../temp.ts";

const fill = (text: string) => (fd: number) => writeAll(fd, new TextEncoder().encode(text));
const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name);

Deno.test("replaceFile() makes a file, and replaces one", async () => {
  await using tmp = await tempDir();
  for (const text of ["one", "two"]) {
    await replaceFile(`${tmp.path}/file`, fill(text), { mode: 0o600 });
    assertEquals(await Deno.readTextFile(`${tmp.path}/file`), text);
    assertEquals((await Deno.stat(`${tmp.path}/file`)).mode! & 0o777, 0o600);
  }
  assertEquals(names(tmp.path), ["file"]);
});

Deno.test("replaceFile() replaces a link, not what it leads to", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/target`, "kept");
  await Deno.symlink("target", `${tmp.path}/link`);
  await replaceFile(`${tmp.path}/link`, fill("new"));
  assertEquals((await Deno.lstat(`${tmp.path}/link`)).isFile, true);
  assertEquals(await Deno.readTextFile(`${tmp.path}/target`), "kept");
});

Deno.test("replaceFile() lets the filling set permissions that the umask forbids", async () => {
  await using tmp = await tempDir();
  await replaceFile(`${tmp.path}/file`, (fd) => fchmod(fd, 0o777));
  assertEquals((await Deno.stat(`${tmp.path}/file`)).mode! & 0o777, 0o777);
});

Deno.test("replaceFile() leaves the old file where the filling fails, and nothing else", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/file`, "old");
  const fails = (fd: number) => {
    fill("half")(fd);
    throw new RangeError("no more");
  };
  await assertRejects(() => replaceFile(`${tmp.path}/file`, fails), RangeError, "no more");
  assertEquals(await Deno.readTextFile(`${tmp.path}/file`), "old");
  assertEquals(names(tmp.path), ["file"]);
});

Deno.test("replaceFile() does not replace a directory, and leaves nothing", async () => {
  await using tmp = await tempDir();
  await Deno.mkdir(`${tmp.path}/directory`);
  await assertRejects(() => replaceFile(`${tmp.path}/directory`, fill("x")), LibcError, "renameat");
  assertEquals(names(tmp.path), ["directory"]);
});

Deno.test("replaceFile() takes a name as long as a file system has", async () => {
  await using tmp = await tempDir();
  await replaceFile(`${tmp.path}/${"n".repeat(255)}`, fill("x"));
  assertEquals(names(tmp.path), ["n".repeat(255)]);
});
