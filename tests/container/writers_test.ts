import { assertEquals, assertThrows } from "@std/assert";
import { ApiStore } from "../../lib/ostree/api_store.ts";
import { DirectStore } from "../../lib/ostree/direct_store.ts";
import { S_IFREG } from "../../lib/ostree/objects.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { openStore } from "../../lib/ostree/store.ts";
import { dir, file, hardlink, link, type Node, whiteout } from "../image.ts";
import { baseCommit, derivedImage, fsck, newRepo, plainImage, pullImage, refRoots, testStore } from "./harness.ts";

/** Everything that a file system says of a repository's objects; a symlink's time is whenever it was made. */
function objects(repo: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const shard of Deno.readDirSync(`${repo}/objects`)) {
    for (const { name } of Deno.readDirSync(`${repo}/objects/${shard.name}`)) {
      const path = `${repo}/objects/${shard.name}/${name}`;
      const info = Deno.lstatSync(path);
      const time = name.endsWith(".file") && !info.isSymlink ? info.mtime!.getTime() : "";
      const target = info.isSymlink ? Deno.readLinkSync(path) : "";
      out[`${shard.name}/${name}`] = `${info.mode!.toString(8)} ${info.uid}:${info.gid} ${info.size} ${time} ${target}`;
    }
  }
  return out;
}

/** Entries of every shape that an object can have. */
function shapes(): Record<string, Node> {
  const large = new Uint8Array(3 << 20).map((_, i) => i * 7 >> 3);
  const xattrs = { "user.b": "2", "user.a": "1", "trusted.x": "t" };
  const tree: Record<string, Node> = {
    "usr/empty": file(""),
    "usr/empty-too": file("", { mode: 0o600, uid: 7 }),
    "usr/inline": file(large.slice(0, 512 << 10)),
    "usr/streamed": file(large.slice(0, (512 << 10) + 1), { uid: 70000, gid: 5 }),
    "usr/large": file(large, { mode: 0o755, xattrs }),
    "usr/xattrs": file("x", { xattrs, uid: 1, gid: 2 }),
    "usr/link": link("target", { uid: 3, gid: 4 }),
    "usr/link-xattrs": link("target", { xattrs: { "trusted.link": "l" } }),
    "usr/long-link": link("t".repeat(4000)),
    "usr/hard": hardlink("usr/xattrs"),
    "usr/dir/": dir({ mode: 0o2750, uid: 9, gid: 8, xattrs: { "user.dir": "d" } }),
    "usr/dir/.wh.x": whiteout,
    "usr/big-owner": file("o", { uid: 4294967293, gid: 4294967293 }),
  };
  for (let mode = 0; mode < 0o10000; mode += 0o123) tree[`usr/modes/${mode.toString(8)}`] = file("m", { mode });
  return tree;
}

for (const mode of ["bare", "bare-user"]) {
  for (const isal of [true, false]) {
    const how = isal ? "with" : "without";
    Deno.test(`Both stores leave the same ${mode} repository, ${how} ISA-L`, async () => {
      await using store = await testStore(mode);
      const base = await baseCommit(store.path);
      const { reference } = await derivedImage(`${store.path}/image`, base, [shapes(), {
        "usr/inline": file("replaced"),
        "usr/dir/more": file("more"),
      }]);
      const api = `${store.path}/api`;
      await newRepo(api, mode);
      await store.pull(reference, { isal });
      await pullImage(store.ctx, { repo: api, reference }, { direct: false, isal });
      assertEquals(refRoots(store.repo), refRoots(api));
      assertEquals(objects(store.repo), objects(api));
      await fsck(store.repo);
    });
  }
}

for (const mode of ["bare", "bare-user"]) {
  Deno.test(`DirectStore.file() gives all 4096 modes the bits that libostree gives them in a ${mode} repository`, async () => {
    await using store = await testStore(mode);
    await newRepo(`${store.path}/api`, mode);
    const body = new TextEncoder().encode("content");
    for (
      const [path, make] of [
        [store.repo, (repo: Repo) => new DirectStore(repo)],
        [`${store.path}/api`, (repo: Repo) => new ApiStore(repo)],
      ] as const
    ) {
      using repo = Repo.open(path);
      using writer = make(repo);
      writer.begin();
      for (let bits = 0; bits < 0o10000; bits++) {
        writer.file(body, 0, { uid: 0, gid: 0, mode: S_IFREG | bits, size: body.length, xattrs: undefined });
      }
      await writer.commit();
      assertEquals(writer.written, 4096);
    }
    assertEquals(objects(store.repo), objects(`${store.path}/api`));
  });
}

Deno.test("An image has the same root in bare, bare-user and archive repositories, and with a parent", async () => {
  await using store = await testStore("bare");
  const { reference } = plainImage(`${store.path}/image`, shapes());
  await store.pull(reference);
  for (const mode of ["bare-user", "archive"]) {
    const repo = `${store.path}/${mode}`;
    await newRepo(repo, mode);
    await pullImage(store.ctx, { repo, reference });
    assertEquals(refRoots(repo), refRoots(store.repo), mode);
    await fsck(repo);
  }
  const child = `${store.path}/child`;
  await newRepo(child, "bare");
  await Deno.writeTextFile(`${child}/config`, `parent=${store.repo}\n`, { append: true });
  await pullImage(store.ctx, {
    repo: child,
    reference: plainImage(`${store.path}/other`, { "usr/a": file("a") }).reference,
  });
  // Layers of the parent count as stored.
  assertEquals(Object.keys(objects(child)).filter((name) => name.endsWith(".file")).length, 1);
});

Deno.test("openStore() writes directly only where nothing speaks against it", async () => {
  const cases: [config: string, mode: string, direct: boolean][] = [
    ["", "bare", true],
    ["", "bare-user", true],
    ["", "bare-user-only", false],
    ["", "archive", false],
    ["per-object-fsync=true\n", "bare", false],
    ["[ex-integrity]\nfsverity=maybe\n", "bare", false],
    ["[ex-integrity]\nfsverity=no\n", "bare", true],
  ];
  for (const [config, mode, direct] of cases) {
    await using store = await testStore(mode);
    await Deno.writeTextFile(`${store.repo}/config`, config, { append: true });
    using repo = Repo.open(store.repo);
    using writer = openStore(repo);
    assertEquals(writer instanceof DirectStore, direct, `${mode} ${config}`);
    using other = openStore(repo, { direct: false });
    assertEquals(other instanceof ApiStore, true);
  }
});

for (const kind of ["direct", "api"] as const) {
  Deno.test(`An aborted ${kind} store leaves a repository that the next one can use`, async () => {
    await using store = await testStore("bare");
    using repo = Repo.open(store.repo);
    using writer = openStore(repo, { direct: kind === "direct" });
    const body = new Uint8Array(100);
    const meta = { uid: 0, gid: 0, mode: S_IFREG | 0o644, size: body.length, xattrs: undefined };
    writer.begin();
    writer.file(body, 0, meta);
    writer.fileBegin({ ...meta, size: 200 });
    writer.fileData(body);
    writer.abort();
    writer.abort();
    assertEquals(objects(store.repo), {});
    writer.begin();
    assertThrows(() => writer.file(body, 0, meta, new Uint8Array(32)), Error, "is corrupt: its checksum is");
    const checksum = writer.file(body, 0, meta).toHex();
    await writer.commit();
    assertEquals(Object.keys(objects(store.repo)), [`${checksum.slice(0, 2)}/${checksum.slice(2)}.file`]);
    writer.begin();
    assertEquals([writer.has("file", checksum), writer.hasFileAt(Uint8Array.fromHex(checksum), 0)], [true, true]);
    writer.abort();
    assertEquals([...Deno.readDirSync(`${store.repo}/tmp`)].filter(({ name }) => name.startsWith("tmp-")), []);
  });
}
