import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Variant } from "../../lib/codec/gvariant.ts";
import { encodeMetadata } from "../../lib/ostree/commit.ts";
import { escapeRef } from "../../lib/ostree/refescape.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { digestOf, dir, file, image, type LayerSource, ociImage, type Tree, whiteout } from "../image.ts";
import { ostreeText } from "../ostree_cli.ts";
import {
  baseCommit,
  derivedImage,
  failure,
  fsck,
  listTree,
  newRepo,
  plainImage,
  pullImage,
  refRoots,
  rootOf,
  testStore,
} from "./harness.ts";

const COMPRESSIONS = ["none", "gzip", "gzip-members", "zstd", "zstd-chunked"] as const;
const TREES: Tree[] = [{ "usr/a": file("a".repeat(5000)) }, { "usr/.wh.x": whiteout, "usr/b": file("b") }];

for (const from of COMPRESSIONS) {
  const to = from === "gzip" ? "zstd" : "gzip";
  Deno.test(`ImagePull.import() fetches no layer of an image in ${to} that is stored in ${from}`, async () => {
    await using store = await testStore();
    const base = await baseCommit(store.path);
    const write = (name: string, compression: LayerSource["compression"] & string) => {
      const layers = TREES.map((tree): LayerSource => ({ tar: image(tree), compression }));
      return derivedImage(`${store.path}/${name}`, base, layers, { compression, chunks: 2 });
    };
    const first = await store.pull((await write("one", from)).reference);
    assertEquals(first.imported, 5);
    const again = await store.pull((await write("two", to)).reference);
    assertEquals(again.imported, 0);
    assertEquals(rootOf(store.repo, again.image.commit), rootOf(store.repo, first.image.commit));
    assertEquals(Object.keys(refRoots(store.repo)).filter((ref) => ref.includes("/blob/")).length, 10);
    await fsck(store.repo);
  });
}

Deno.test("An image gives the same commits in two repositories, by either writer and in any mode", async () => {
  await using store = await testStore("bare");
  const base = await baseCommit(store.path);
  const { reference } = await derivedImage(`${store.path}/image`, base, TREES, {
    chunks: 3,
    created: "2024-05-06T07:08:09Z",
  });
  const { image: pulled } = await store.pull(reference);
  for (const [mode, direct] of [["bare", true], ["bare", false], ["bare-user", true], ["archive", true]] as const) {
    const repo = `${store.path}/${mode}-${direct}`;
    await newRepo(repo, mode);
    assertEquals((await pullImage(store.ctx, { repo, reference }, { direct })).image.commit, pulled.commit);
  }
  using repo = Repo.open(store.repo);
  const commit = repo.loadCommit(pulled.commit);
  assertEquals(commit.timestampSeconds, Date.UTC(2024, 4, 6, 7, 8, 9) / 1000);
  assertEquals(commit.parent, base.commit);
  assertEquals([...commit.metadata.keys()], [
    "ostree.container.image-config",
    "ostree.importer.version",
    "ostree.manifest",
    "ostree.manifest-digest",
  ]);
});

Deno.test("A repeated layer is fetched once", async () => {
  await using store = await testStore();
  const { reference } = plainImage(`${store.path}/image`, { "usr/a": file("a") }, { "usr/a": file("b") }, {
    "usr/a": file("a"),
  });
  const { image: pulled, imported } = await store.pull(reference);
  assertEquals(imported, 2);
  assertEquals(await ostreeText("cat", `--repo=${store.repo}`, pulled.commit, "/usr/a"), "a");
});

Deno.test("A new version fetches its new layer only, and the old one's is forgotten with it", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path);
  const directory = `${store.path}/image`;
  const one = await derivedImage(directory, base, [TREES[0]!, { "usr/v": file("1") }]);
  await store.pull(one.reference);
  const two = await derivedImage(directory, base, [TREES[0]!, { "usr/v": file("2") }]);
  assertEquals((await store.pull(two.reference)).imported, 1);
  using repo = Repo.open(store.repo);
  assertEquals(repo.resolve(`ostree/container/blob/${escapeRef(one.layers[2]!.digest)}`), undefined);
  assertEquals(repo.listRefs("ostree/container/blob").size, 3);
  await ostreeText("prune", `--repo=${store.repo}`, "--refs-only");
  await fsck(store.repo);
});

Deno.test("A layer on another base is filtered by that base's rules", async () => {
  await using store = await testStore();
  const strict = await baseCommit(store.path);
  const layer = { "opt/a": file("a"), "usr/b": file("b") };
  await store.pull((await derivedImage(`${store.path}/strict`, strict, [layer])).reference);
  await Deno.mkdir(`${store.path}/more`);
  const files = { "usr/lib/ostree/prepare-root.conf": "[root]\ntransient = true\n" };
  const loose = await baseCommit(`${store.path}/more`, { files });
  const { image: pulled, imported } = await store.pull(
    (await derivedImage(`${store.path}/loose`, loose, [layer])).reference,
  );
  assertEquals(imported, 2);
  assert("/opt/a" in await listTree(store.repo, pulled.commit));
});

Deno.test("What an image says of a diff_id is not believed for a layer that is stored already", async () => {
  await using store = await testStore();
  const evil = image({ "usr/bin/sh": file("evil") }), good = image({ "usr/bin/sh": file("good") });
  await store.pull(ociImage(`${store.path}/evil`, { layers: [evil] }).reference);
  // The layer is there: nothing would be fetched, and so nothing verified.
  const liar = ociImage(`${store.path}/liar`, { layers: [evil, image({ "usr/x": file("x") })] });
  const digest = liar.configDigest.slice(7);
  const config = JSON.parse(await Deno.readTextFile(`${store.path}/liar/blobs/sha256/${digest}`));
  const goodImage = ociImage(`${store.path}/good`, { layers: [{ tar: good, compression: "zstd" }] });
  config.rootfs.diff_ids[0] = goodImage.layers[0]!.diffId;
  rewrite(`${store.path}/liar`, liar, config);
  assertStringIncludes(await failure(store.pull(liar.reference)), "the image's config says");
  const { image: pulled, imported } = await store.pull(goodImage.reference);
  assertEquals(imported, 1);
  assertEquals(await ostreeText("cat", `--repo=${store.repo}`, pulled.commit, "/usr/bin/sh"), "good");
});

/** Gives an image another config, and the manifest and index that name it. */
function rewrite(directory: string, written: { manifest: Record<string, unknown> }, config: unknown): void {
  const put = (value: unknown) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const digest = digestOf(bytes);
    Deno.writeFileSync(`${directory}/blobs/${digest.replace(":", "/")}`, bytes);
    return { digest, size: bytes.length };
  };
  const descriptor = { ...written.manifest["config"] as Record<string, unknown>, ...put(config) };
  const manifest = put({ ...written.manifest, config: descriptor });
  const index = JSON.parse(Deno.readTextFileSync(`${directory}/index.json`));
  Object.assign(index.manifests[0], manifest);
  Deno.writeTextFileSync(`${directory}/index.json`, JSON.stringify(index));
}

Deno.test("A commit layer is found by its content only under the checksum that the image names", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path);
  await Deno.mkdir(`${store.path}/b`);
  const other = await baseCommit(`${store.path}/b`, { files: { "usr/other": "other" } });
  await store.pull((await derivedImage(`${store.path}/other`, other, [])).reference);
  const { image: pulled, imported } = await store.pull((await derivedImage(`${store.path}/image`, base, [])).reference);
  assertEquals([pulled.base, imported], [base.commit, 1]);
});

Deno.test("A layer that the reference stored merges as the reference does", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path);
  const tars: [string, Tree][] = [
    ["one", { "usr/d/": dir({ mode: 0o700 }), "usr/d/a": file("a"), "usr/gone": file("gone") }],
    ["two", {
      "usr/d/": dir({ mode: 0o750, uid: 5 }),
      "usr/d/b": file("b"),
      "usr/.wh.gone": whiteout,
      "usr/n/.wh.x": whiteout,
    }],
  ];
  const { reference, layers } = await derivedImage(`${store.path}/image`, base, tars.map(([, tree]) => tree));
  for (const [i, [name, tree]] of tars.entries()) {
    const path = `${store.path}/${name}.tar`;
    await Deno.writeFile(path, image(tree));
    const ref = `ostree/container/blob/${escapeRef(layers[i + 1]!.digest)}`;
    await ostreeText(
      "commit",
      `--repo=${store.repo}`,
      `--branch=${ref}`,
      "--timestamp=@0",
      "--no-bindings",
      "--tar-autocreate-parents",
      `--tree=tar=${path}`,
    );
  }
  const { image: pulled, imported } = await store.pull(reference);
  assertEquals(imported, 1);
  const tree = await listTree(store.repo, pulled.commit);
  assertEquals(tree["/usr/d"], "d00700 0 0"); // the lower one's, where ours would give the upper one's
  assertEquals([tree["/usr/d/a"], tree["/usr/d/b"], tree["/usr/gone"], tree["/usr/n"]], [
    "-00644 0 0 1",
    "-00644 0 0 1",
    undefined,
    "d00755 0 0",
  ]);
  assertEquals(tree["/usr/n/.wh.x"], undefined);
  await fsck(store.repo);
});

Deno.test("An image's detached metadata cannot break its repository", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path);
  using repo = Repo.open(base.repo);
  repo.writeDetachedMetadata(
    base.commit,
    encodeMetadata(new Map([["ostree-ext.cached.manifest", new Variant("s", "{")]])),
  );
  await store.pull((await derivedImage(`${store.path}/image`, base, TREES)).reference);
  await store.pull((await derivedImage(`${store.path}/image`, base, TREES)).reference);
  await fsck(store.repo);
});
