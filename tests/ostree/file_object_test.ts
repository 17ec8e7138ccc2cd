import { assertEquals, assertThrows } from "@std/assert";
import { FileObject, isEmptyFile, readFileObject } from "../../lib/ostree/file_object.ts";
import { GlibError } from "../../lib/ostree/glib.ts";
import { S_IFLNK, S_IFREG, xattrSet } from "../../lib/ostree/objects.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { openStore } from "../../lib/ostree/store.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { ostreeInit, ostreeText } from "../ostree_cli.ts";
import { tempDir } from "../temp.ts";

const encoder = new TextEncoder();
const BODY = new Uint8Array(700_000).map((_, i) => i * 3 >> 2);
const XATTRS = xattrSet([[encoder.encode("user.a"), encoder.encode("1")]]);

for (const mode of ["bare", "bare-user", "archive", "child"]) {
  for (const when of ["in the transaction", "afterwards"]) {
    Deno.test(`FileObject reads what was written to a ${mode} repository, ${when}`, async () => {
      await using tmp = await tempDir("/dev/shm");
      const path = `${tmp.path}/repo`;
      await ostreeInit(path, mode === "child" ? "bare-user" : mode);
      using repo = Repo.open(path);
      using store = openStore(repo);
      store.begin();
      const meta = { uid: 5, gid: 6, mode: S_IFREG | 0o4711, size: BODY.length, xattrs: XATTRS };
      store.fileBegin(meta);
      store.fileData(BODY.slice(0, 300_000));
      store.fileData(BODY.slice(300_000));
      const large = store.fileEnd().toHex();
      const empty = store.file(BODY, 0, { ...meta, size: 0, xattrs: undefined }).toHex();
      const target = encoder.encode("../target");
      const symlink = store.symlink(target, { ...meta, size: 0, xattrs: undefined }).toHex();
      if (when === "afterwards") await store.commit();
      const from = mode === "child" && when === "afterwards" ? await childOf(tmp.path) : repo;
      using file = new FileObject(from, large);
      assertEquals(file.meta, meta);
      assertEquals(readFileObject(from, large, BODY.length), BODY);
      assertEquals(readFileObject(from, empty, 0), new Uint8Array(0));
      assertEquals([isEmptyFile(from, empty), isEmptyFile(from, large), isEmptyFile(from, symlink)], [
        true,
        false,
        false,
      ]);
      using link = new FileObject(from, symlink);
      assertEquals([link.target, link.meta.mode, link.meta.uid], [target, S_IFLNK | 0o777, 5]);
      assertEquals(readFileObject(from, symlink, 100), undefined);
      if (from !== repo) from[Symbol.dispose]();
    });
  }
}

/** A repository without objects, before the one at "repo". */
async function childOf(directory: string): Promise<Repo> {
  await ostreeInit(`${directory}/child`, "bare-user");
  await ostreeText("config", `--repo=${directory}/child`, "set", "core.parent", `${directory}/repo`);
  return Repo.open(`${directory}/child`);
}

Deno.test("readFileObject() refuses a file that is too large, and one that is not there", async () => {
  await using tmp = await tempDir("/dev/shm");
  await ostreeInit(`${tmp.path}/repo`, "bare");
  using repo = Repo.open(`${tmp.path}/repo`);
  using store = openStore(repo);
  store.begin();
  const meta = { uid: 0, gid: 0, mode: S_IFREG | 0o644, size: 10, xattrs: undefined };
  const checksum = store.file(BODY, 0, meta).toHex();
  await store.commit();
  const error = assertThrows(() => readFileObject(repo, checksum, 9), UserError);
  assertEquals(error.message, `File object ${checksum} has 10 bytes; at most 9 were expected`);
  assertEquals(assertThrows(() => readFileObject(repo, "0".repeat(64), 9), GlibError).notFound, true);
});
