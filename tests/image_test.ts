import { assertEquals } from "@std/assert";
import { plainContext } from "../lib/sys/context.ts";
import { capture, run } from "../lib/sys/run.ts";
import { walkTar } from "./codec/tar_sink.ts";
import {
  compress,
  device,
  digestOf,
  dir,
  fifo,
  file,
  hardlink,
  image,
  type LayerCompression,
  link,
  nativeImage,
  nativeLayer,
  nativeLayers,
  type NativeLayout,
  ociImage,
  whiteout,
} from "./image.ts";
import { tempDir } from "./temp.ts";

const ctx = plainContext(Deno.env.toObject());
const HEAD = "sysroot/ostree/repo/";

const tree = {
  "usr/": dir(),
  "usr/bin/": dir({ mode: 0o750, gid: 9 }),
  "usr/bin/bash": file("#!", { mode: 0o4755, uid: 1, gid: 2, xattrs: { "user.a": "x", "user.b": "" } }),
  "usr/bin/sh": link("bash"),
  "usr/etc/": dir(),
  "usr/etc/empty": file(),
  "usr/etc/conf": file("conf\n"),
  "usr/lib/": dir(),
  "usr/lib/same": file("conf\n"),
};

/** A bare-user repository with one commit, "test". */
async function repository(path: string): Promise<{ repo: string; commit: string }> {
  const repo = `${path}/repo`;
  await Deno.writeFile(`${path}/tree.tar`, image(tree));
  await run(ctx, ["ostree", "init", `--repo=${repo}`, "--mode=bare-user"]);
  const commit = await capture(ctx, [
    ...["ostree", "commit", `--repo=${repo}`, "-b", "test", "--timestamp=@0"] as const,
    ...["--tar-autocreate-parents", `--tree=tar=${path}/tree.tar`],
  ]);
  return { repo, commit: commit.trim() };
}

Deno.test("image() writes all kinds of entries in order", () => {
  const tar = image([
    ...Object.entries(tree),
    ["usr/lib/hard", hardlink("usr/lib/same")],
    ["usr/lib/.wh.gone", whiteout],
    ["dev/null", device({ major: 1, minor: 3 })],
    ["dev/sda", device({ major: 8, minor: 0, block: true })],
    ["run/fifo", fifo()],
    [new Uint8Array([0xff]), file("odd")],
  ]);
  const { seen, walk } = walkTar(tar);
  assertEquals(walk.clean, true);
  assertEquals(seen.map(({ type, name }) => `${type} ${name}`), [
    ...["5 usr/", "5 usr/bin/", "0 usr/bin/bash", "2 usr/bin/sh", "5 usr/etc/", "0 usr/etc/empty", "0 usr/etc/conf"],
    ...[
      "5 usr/lib/",
      "0 usr/lib/same",
      "1 usr/lib/hard",
      "0 usr/lib/.wh.gone",
      "3 dev/null",
      "4 dev/sda",
      "6 run/fifo",
    ],
    "0 \xff",
  ]);
  assertEquals(seen[2]!.pax, { "SCHILY.xattr.user.a": "x", "SCHILY.xattr.user.b": "" });
  assertEquals(image(tree), image(tree));
});

const COMPRESSIONS: LayerCompression[] = ["none", "gzip", "gzip-members", "zstd", "zstd-chunked"];

Deno.test("ociImage() writes what skopeo reads and verifies, in every compression", async () => {
  await using tmp = await tempDir();
  const tars = COMPRESSIONS.map((name) => image({ [name]: file(name.repeat(1000)) }));
  const written = ociImage(`${tmp.path}/image`, {
    layers: tars.map((tar, i) => ({ tar, compression: COMPRESSIONS[i]!, annotations: { number: `${i}` } })),
    labels: { a: "b" },
    architecture: "arm64",
    created: "2024-01-02T03:04:05Z",
    annotations: { c: "d" },
    emptyHistory: ["ENV X=1"],
  });
  const inspected = JSON.parse(await capture(ctx, ["skopeo", "inspect", written.reference]));
  assertEquals(inspected.Digest, written.digest);
  assertEquals([inspected.Architecture, inspected.Labels, inspected.Created], [
    "arm64",
    { a: "b" },
    "2024-01-02T03:04:05Z",
  ]);
  assertEquals(inspected.Layers, written.layers.map((layer) => layer.digest));
  assertEquals(written.layers.map((layer) => layer.diffId), tars.map(digestOf));
  await run(ctx, ["skopeo", "--insecure-policy", "copy", written.reference, `dir:${tmp.path}/copy`]);
});

Deno.test("ociImage() keeps other tags, and replaces its own", async () => {
  await using tmp = await tempDir();
  const make = (tag: string, name: string) => {
    return ociImage(tmp.path, { layers: [image({ [name]: file(name) })], tag });
  };
  make("one", "a");
  const two = make("two", "b"), one = make("one", "c");
  for (const written of [one, two]) {
    const { Digest } = JSON.parse(await capture(ctx, ["skopeo", "inspect", written.reference]));
    assertEquals(Digest, written.digest);
  }
});

Deno.test("ociImage() lies where it is told to", async () => {
  await using tmp = await tempDir();
  const layers = [image({ a: file("a") }), image({ b: file("b") })];
  const honest = ociImage(`${tmp.path}/a`, { layers });
  const lying = ociImage(`${tmp.path}/b`, { layers, lie: { digest: 0, size: 1, diffId: 1 } });
  assertEquals(lying.layers[0]!.digest === honest.layers[0]!.digest, false);
  assertEquals(lying.layers[1]!.size, honest.layers[1]!.size + 1);
  assertEquals(lying.layers.map((layer, i) => layer.diffId === honest.layers[i]!.diffId), [true, false]);
  const short = ociImage(`${tmp.path}/c`, { layers, lie: { missingDiffId: true } });
  assertEquals((short.config.rootfs as { diff_ids: string[] }).diff_ids, [honest.layers[0]!.diffId]);
});

Deno.test("compress() makes several members or frames where it says so", () => {
  const tar = image(tree);
  const count = (bytes: Uint8Array, magic: string) => bytes.toHex().split(magic).length - 1;
  assertEquals(count(compress(tar, "gzip-members"), "1f8b08"), 4);
  assertEquals(count(compress(tar, "zstd-chunked"), "28b52ffd"), 3);
});

/** The name of a file's xattr object and what is at it, by layout. */
const LAYOUTS: [layout: NativeLayout, prefix: string, entries: string[]][] = [
  ["v1-new", "", ["0 .file-xattrs-link"]],
  ["v1-old", "", ["0 .file-xattrs", "1 .file-xattrs-link"]],
  ["v0", "./", ["0 xattrs", "1 .file.xattrs"]],
];
for (const [layout, prefix, expected] of LAYOUTS) {
  Deno.test(`nativeLayer() writes layout ${layout}`, async () => {
    await using tmp = await tempDir();
    const { repo, commit } = await repository(tmp.path);
    const tar = await nativeLayer(repo, commit, { layout });
    const { seen, walk } = walkTar(tar);
    assertEquals(walk.clean, true);
    const names = seen.map(({ name }) => name);
    assertEquals(names.slice(0, 6), [
      "./",
      ...["sysroot", "sysroot/ostree", "sysroot/ostree/repo", `${HEAD}objects`, `${HEAD}objects/00`].map((n) =>
        prefix + n
      ),
    ]);
    assertEquals(names.at(-1), `${prefix}var/tmp`);
    assertEquals(
      names.filter((name) => name === `${prefix}${HEAD}objects/${commit.slice(0, 2)}/${commit.slice(2)}.commit`).length,
      1,
    );
    const bash = seen.find(({ name }) => name === `${prefix}usr/bin/bash`)!;
    const object = seen.find(({ name }) => name === bash.link)!;
    assertEquals([bash.type, object.type, object.mode, object.uid, object.gid, object.body], [
      "1",
      "0",
      0o4755,
      1,
      2,
      "#!",
    ]);
    assertEquals(object.pax, layout === "v1-new" ? { "SCHILY.xattr.user.a": "x", "SCHILY.xattr.user.b": "" } : {});
    const before = seen.slice(seen.indexOf(object) - expected.length, seen.indexOf(object));
    assertEquals(before.map(({ type, name }) => `${type} ${/xattrs(?=\/)|\.file.*$/.exec(name)}`), expected);
    const empty = seen.find(({ name }) => name === `${prefix}etc/empty`)!;
    assertEquals([empty.type, empty.body], ["0", ""]);
    const same = seen.filter(({ name }) => /(etc\/conf|lib\/same)$/.test(name));
    assertEquals([same.length, same[0]!.link === same[1]!.link], [2, true]);
  });
}

Deno.test("nativeLayers() splits the content, each object once", async () => {
  await using tmp = await tempDir();
  const { repo, commit } = await repository(tmp.path);
  const layers = await nativeLayers(repo, commit, { chunks: 3 });
  const objects = layers.map((tar) =>
    walkTar(tar).seen.filter(({ name }) => name.endsWith(".file")).map(({ name }) => name)
  );
  assertEquals(layers.length, 4);
  assertEquals(objects[0], []);
  assertEquals(objects.flat().length, 4);
  assertEquals(new Set(objects.flat()).size, 4);
});

Deno.test("nativeImage() labels base, chunks and derived layers", async () => {
  await using tmp = await tempDir();
  const base = await repository(tmp.path);
  const derived = image({ "usr/new": file("new") });
  const written = await nativeImage(`${tmp.path}/image`, base, { chunks: 2, derived: [derived], compression: "zstd" });
  const inspected = JSON.parse(await capture(ctx, ["skopeo", "inspect", written.reference]));
  assertEquals(inspected.Labels, {
    "containers.bootc": "1",
    "ostree.bootable": "true",
    "ostree.commit": base.commit,
    "ostree.final-diffid": written.layers[2]!.diffId,
  });
  assertEquals(written.layers.map((layer) => layer.diffId === digestOf(derived)), [false, false, false, true]);
});
