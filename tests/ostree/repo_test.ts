import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { sha256 } from "../../lib/codec/sha256.ts";
import { encodeMetadata, metadataText, newCommit } from "../../lib/ostree/commit.ts";
import { decodeMetadata, encodeCommit } from "../../lib/ostree/commit.ts";
import { encode, Variant } from "../../lib/codec/gvariant.ts";
import { GlibError } from "../../lib/ostree/glib.ts";
import { fileHeader } from "../../lib/ostree/objects.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { Interrupted, UserError } from "../../lib/sys/errors.ts";
import { ostreeCommit, ostreeInit, ostreeText } from "../ostree_cli.ts";
import { tempDir } from "../temp.ts";

const encoder = new TextEncoder();
const bytes = (text: string) => encoder.encode(text);

async function newRepo(path: string, mode = "bare-user"): Promise<Repo> {
  await ostreeInit(path, mode);
  return Repo.open(path);
}

function sum(...pieces: Uint8Array<ArrayBuffer>[]): string {
  const all = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return sha256(all).toHex();
}

Deno.test("Repo.open() says which repository it cannot open", async () => {
  await using tmp = await tempDir();
  const error = assertThrows(() => Repo.open(`${tmp.path}/none`), UserError);
  assertEquals(error.message, `Cannot open the ostree repository "${tmp.path}/none"`);
});

for (const mode of ["bare", "bare-user", "bare-user-only", "archive"]) {
  Deno.test(`Repo.open() knows the mode "${mode}"`, async () => {
    await using tmp = await tempDir();
    using repo = await newRepo(`${tmp.path}/repo`, mode);
    assertEquals(repo.mode, mode);
    assertEquals(repo.hasParent, false);
    assert(repo.directory > 2);
  });
}

Deno.test("Repo.config() reads the file, and undefined for what is not there", async () => {
  await using tmp = await tempDir();
  await ostreeInit(`${tmp.path}/repo`, "bare-user");
  await ostreeText("config", `--repo=${tmp.path}/repo`, "set", "core.fsync", "false");
  await ostreeText("config", `--repo=${tmp.path}/repo`, "set", "core.min-free-space-size", "7MB");
  using repo = Repo.open(`${tmp.path}/repo`);
  assertEquals(repo.config("core", "repo_version"), "1");
  assertEquals(repo.config("core", "none"), undefined);
  assertEquals(repo.config("none", "none"), undefined);
  assertEquals(repo.fsync, false);
  assertEquals(repo.minFreeSpaceBytes(), 7 * 1024 * 1024);
});

Deno.test("Repo.hasParent is true before another repository", async () => {
  await using tmp = await tempDir();
  const commit = await makeCommit(tmp.path, "parent");
  await ostreeInit(`${tmp.path}/repo`, "bare-user");
  await ostreeText("config", `--repo=${tmp.path}/repo`, "set", "core.parent", `${tmp.path}/parent`);
  using repo = Repo.open(`${tmp.path}/repo`);
  assertEquals(repo.hasParent, true);
  assertEquals(repo.hasObject("commit", commit), true);
  assertEquals(repo.loadCommit(commit).subject, "first");
  assertEquals(repo.resolve("main"), commit);
});

/** A repository below `base` with one commit on "main". */
async function makeCommit(base: string, name: string, mode = "bare-user"): Promise<string> {
  await Deno.mkdir(`${base}/${name}-tree/dir`, { recursive: true });
  await Deno.writeTextFile(`${base}/${name}-tree/dir/file`, "content\n");
  await Deno.symlink("file", `${base}/${name}-tree/dir/link`);
  await ostreeInit(`${base}/${name}`, mode);
  return await ostreeCommit(`${base}/${name}`, {
    ref: "main",
    tree: `${base}/${name}-tree`,
    subject: "first",
    metadata: { version: "1" },
  });
}

for (const mode of ["bare-user", "bare"]) {
  Deno.test(`Repo writes a commit that ostree fsck and checkout accept (${mode})`, async () => {
    await using tmp = await tempDir();
    using repo = await newRepo(`${tmp.path}/repo`, mode);
    repo.prepareTransaction();
    const body = bytes("small\n");
    const meta = { uid: 0, gid: 0, mode: 0o100644, size: body.length, xattrs: undefined };
    const header = fileHeader(meta);
    const small = sum(header, body);
    repo.writeContentTrusted(small, header, body);
    const writer = repo.openContent({ ...meta, mode: 0o755, size: 3 << 20 });
    for (let i = 0; i < 3; i++) writer.write(new Uint8Array(1 << 20).fill(i));
    const large = writer.finish();
    const link = repo.writeSymlink({ uid: 0, gid: 0, target: bytes("small") });
    assertEquals(repo.hasObject("file", link), true);
    const dirmeta = repo.writeMetadata("dirmeta", new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xed]));
    const tree = treeObject([["large", large], ["link", link], ["small", small]]);
    const dirtree = repo.writeMetadata("dirtree", tree, sum(tree));
    const object = encodeCommit(newCommit({ timestampSeconds: 1, rootTree: dirtree, rootMeta: dirmeta }));
    const commit = repo.writeMetadata("commit", object, sum(object));
    repo.setTransactionRef("a/b", commit);
    assertEquals(Repo.open(`${tmp.path}/repo`).resolve("a/b"), undefined);
    await repo.commitTransaction();
    assertEquals(repo.resolve("a/b"), commit);
    await ostreeText("fsck", `--repo=${tmp.path}/repo`);
    assertEquals(await ostreeText("cat", `--repo=${tmp.path}/repo`, "a/b", "/small"), "small\n");
    assertEquals(
      await ostreeText("ls", "-C", `--repo=${tmp.path}/repo`, "a/b", "/large"),
      `-00755 0 0 3145728 ${large} /large\n`,
    );
  });
}

/** A dirtree object of files, all in one. */
function treeObject(files: [string, string][]): Uint8Array<ArrayBuffer> {
  return encode("(a(say)a(sayay))", [files.map(([name, checksum]) => [name, Uint8Array.fromHex(checksum)]), []]);
}

Deno.test("Repo.prepareTransaction() refuses a second transaction, abortTransaction() drops what was written", async () => {
  await using tmp = await tempDir();
  using repo = await newRepo(`${tmp.path}/repo`);
  repo.prepareTransaction();
  assertThrows(() => repo.prepareTransaction(), TypeError);
  const link = repo.writeSymlink({ uid: 0, gid: 0, target: bytes("x") });
  assertEquals(repo.hasObject("file", link), true);
  repo.abortTransaction();
  repo.abortTransaction();
  assertEquals(repo.hasObject("file", link), false);
  assertThrows(() => repo.setTransactionRef("a", link), TypeError);
  await assertRejects(() => repo.commitTransaction(), TypeError);
  repo.prepareTransaction();
});

Deno.test("Repo.setTransactionRef() removes a ref with null", async () => {
  await using tmp = await tempDir();
  const commit = await makeCommit(tmp.path, "repo");
  using repo = Repo.open(`${tmp.path}/repo`);
  assertEquals(repo.resolve("main"), commit);
  repo.prepareTransaction();
  repo.setTransactionRef("main", null);
  await repo.commitTransaction();
  assertEquals(repo.resolve("main"), undefined);
});

for (const name of ["", "a//b", "a b", "/a", "a/", "a:b", "é"]) {
  Deno.test(`Repo.setRef() refuses the name "${name}"`, async () => {
    await using tmp = await tempDir();
    using repo = await newRepo(`${tmp.path}/repo`);
    assertThrows(() => repo.setRef(name, null), SyntaxError);
  });
}

for (const checksum of ["", "abc", "A".repeat(64), "0".repeat(63) + "\n"]) {
  Deno.test(`Repo.hasObject() refuses ${JSON.stringify(checksum)}`, async () => {
    await using tmp = await tempDir();
    using repo = await newRepo(`${tmp.path}/repo`);
    assertThrows(() => repo.hasObject("commit", checksum), SyntaxError);
  });
}

Deno.test("Repo.listRefs() gives whole names at and below a prefix", async () => {
  await using tmp = await tempDir();
  const commit = await makeCommit(tmp.path, "repo");
  using repo = Repo.open(`${tmp.path}/repo`);
  for (const ref of ["x/a", "x/b/c", "xy"]) repo.setRef(ref, commit);
  const names = (prefix?: string) => [...repo.listRefs(prefix).keys()].sort();
  assertEquals(names(), ["main", "x/a", "x/b/c", "xy"]);
  assertEquals(names("x"), ["x/a", "x/b/c"]);
  assertEquals(names("x/"), ["x/a", "x/b/c"]);
  assertEquals(names("xy"), ["xy"]);
  assertEquals(names("none"), []);
  assertEquals(repo.listRefs("x").get("x/b/c"), commit);
  repo.setRef("x/a", null);
  assertEquals(names("x"), ["x/b/c"]);
});

Deno.test("Repo.loadMetadata() of what is not there is a GlibError with notFound", async () => {
  await using tmp = await tempDir();
  using repo = await newRepo(`${tmp.path}/repo`);
  const error = assertThrows(() => repo.loadMetadata("commit", "0".repeat(64)), GlibError);
  assertEquals([error.domain, error.code, error.notFound], ["g-io-error-quark", 1, true]);
});

Deno.test("Repo.writeMetadata() refuses an object that is not the expected one", async () => {
  await using tmp = await tempDir();
  using repo = await newRepo(`${tmp.path}/repo`);
  assertThrows(() => repo.writeMetadata("dirmeta", new Uint8Array(12), "0".repeat(64)), GlibError);
});

Deno.test("Repo.markCommitPartial() is read back", async () => {
  await using tmp = await tempDir();
  const commit = await makeCommit(tmp.path, "repo");
  using repo = Repo.open(`${tmp.path}/repo`);
  assertEquals(repo.isCommitPartial(commit), false);
  repo.markCommitPartial(commit, true);
  assertEquals(repo.isCommitPartial(commit), true);
  repo.markCommitPartial(commit, false);
  assertEquals(repo.isCommitPartial(commit), false);
});

Deno.test("ContentWriter keeps to the size that was announced", async () => {
  await using tmp = await tempDir();
  using repo = await newRepo(`${tmp.path}/repo`);
  const header = { uid: 0, gid: 0, mode: 0o644, size: 4 };
  using long = repo.openContent(header);
  assertThrows(() => long.write(bytes("12345")), RangeError, "A file of 4 bytes has more than that");
  using short = repo.openContent(header);
  short.write(bytes("123"));
  assertThrows(() => short.finish(), RangeError, "A file of 4 bytes ends after 3");
  short.abort();
  assertThrows(() => short.write(bytes("4")), TypeError);
});

Deno.test("ContentWriter.finish() refuses a file that is not the expected one, and leaves nothing", async () => {
  await using tmp = await tempDir();
  using repo = await newRepo(`${tmp.path}/repo`);
  using writer = repo.openContent({ uid: 0, gid: 0, mode: 0o644, size: 1 }, "0".repeat(64));
  writer.write(bytes("1"));
  assertThrows(() => writer.finish(), GlibError, "Corrupted file object");
  assertEquals(await ostreeText("refs", `--repo=${tmp.path}/repo`), "");
});

Deno.test("Repo.writeDetachedMetadata() is read back and removed", async () => {
  await using tmp = await tempDir();
  const commit = await makeCommit(tmp.path, "repo");
  using repo = Repo.open(`${tmp.path}/repo`);
  assertEquals(repo.readDetachedMetadata(commit), undefined);
  repo.writeDetachedMetadata(commit, encodeMetadata(new Map([["key", new Variant("s", "value")]])));
  const found = decodeMetadata(repo.readDetachedMetadata(commit)!);
  assertEquals(metadataText(found, "key"), "value");
  assertEquals(
    await ostreeText("show", `--repo=${tmp.path}/repo`, "--print-detached-metadata-key=key", commit),
    "'value'\n",
  );
  repo.writeDetachedMetadata(commit, null);
  assertEquals(repo.readDetachedMetadata(commit), undefined);
});

Deno.test("Repo.prune() counts, then removes what no ref needs", async () => {
  await using tmp = await tempDir();
  const commit = await makeCommit(tmp.path, "repo");
  using repo = Repo.open(`${tmp.path}/repo`);
  assertEquals((await repo.prune()).objectsPruned, 0);
  repo.setRef("main", null);
  const counted = await repo.prune({ dryRun: true });
  assertEquals(counted.objectsTotal, counted.objectsPruned);
  assert(counted.freedBytes > 0);
  assertEquals(repo.hasObject("commit", commit), true);
  assertEquals(await repo.prune(), counted);
  assertEquals(repo.hasObject("commit", commit), false);
});

Deno.test("Repo.prune() stops with a signal", async () => {
  await using tmp = await tempDir();
  const commit = await makeCommit(tmp.path, "repo");
  using repo = Repo.open(`${tmp.path}/repo`);
  repo.setRef("main", null);
  await assertRejects(() => repo.prune({ signal: AbortSignal.abort() }), Interrupted);
  assertEquals(repo.hasObject("commit", commit), true);
});

for (
  const [from, to] of [["bare-user", "bare-user"], ["bare", "bare"], ["archive", "bare-user"], ["bare", "archive"]]
) {
  Deno.test(`Repo.pullLocal() brings a commit from ${from} to ${to}`, async () => {
    await using tmp = await tempDir();
    const commit = await makeCommit(tmp.path, "source it", from);
    using source = Repo.open(`${tmp.path}/source it`);
    source.writeDetachedMetadata(commit, encodeMetadata(new Map([["key", new Variant("s", "value")]])));
    using target = await newRepo(`${tmp.path}/target`, to);
    await target.pullLocal(source, [commit]);
    assertEquals([...target.listRefs()], []);
    assertEquals(target.isCommitPartial(commit), false);
    assertEquals(metadataText(decodeMetadata(target.readDetachedMetadata(commit)!), "key"), "value");
    target.setRef("copied", commit);
    await ostreeText("fsck", `--repo=${tmp.path}/target`);
    assertEquals(await ostreeText("cat", `--repo=${tmp.path}/target`, "copied", "/dir/link"), "content\n");
  });
}
