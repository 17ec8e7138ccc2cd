import { assertEquals, assertStringIncludes } from "@std/assert";
import { plainContext } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";
import type { Bytes } from "../../lib/sys/libc.ts";
import { compress, concat, dir, file, image, type LayerCompression, ociImage, type Tree } from "../image.ts";
import { startRegistry } from "../registry.ts";
import { failure, fsck, listTree, newRepo, plainImage, pullImage, testStore } from "./harness.ts";

const TREES: Tree[] = [
  { "usr/lib/a": file("a".repeat(100_000)), "usr/lib/d/": dir({ mode: 0o700 }) },
  { [`usr/${"long/".repeat(60)}name`]: file("b"), "usr/lib/owned": file("c", { uid: 3_000_000, gid: 4_000_000 }) },
];

for (const format of ["gnu", "pax"] as const) {
  for (const compression of ["none", "gzip", "gzip-members", "zstd", "zstd-chunked"] satisfies LayerCompression[]) {
    Deno.test(`ImagePull.import() reads ${format} archives in ${compression}`, async () => {
      await using store = await testStore();
      const layers = TREES.map((tree) => ({ tar: image(tree, { format }), compression }));
      const { reference } = ociImage(`${store.path}/image`, { layers });
      for (const isal of [true, false]) {
        const repo = `${store.path}/isal-${isal}`;
        await newRepo(repo, "bare");
        const { image: pulled } = await pullImage(store.ctx, { repo, reference }, { isal });
        const tree = await listTree(repo, pulled.commit);
        assertEquals(tree["/usr/lib/a"], "-00644 0 0 100000");
        assertEquals(tree["/usr/lib/owned"], "-00644 3000000 4000000 1");
        assertEquals(tree[`/usr/${"long/".repeat(60)}name`], "-00644 0 0 1");
        await fsck(repo);
      }
    });
  }
}

Deno.test("ImagePull.import() reads docker's schema 2 from a registry", async () => {
  await using store = await testStore();
  await using registry = await startRegistry();
  const { reference } = plainImage(`${store.path}/image`, ...TREES);
  const argv = [
    "skopeo",
    "copy",
    "--quiet",
    "--format=v2s2",
    reference,
    `docker://${registry.address}/os:v2s2`,
  ] as const;
  await run(plainContext(registry.env), [...argv]);
  const docker = await store.pull(`docker://${registry.address}/os:v2s2`, {}, { env: registry.env });
  const oci = await store.pull(reference);
  assertEquals(oci.imported, 0); // the same blobs
  assertEquals(await listTree(store.repo, docker.image.commit), await listTree(store.repo, oci.image.commit));
  await fsck(store.repo);
});

/** The header of a file of `size` bytes, made a GNU sparse one where a real size is given. */
function header(size: number, type = "0"): Bytes {
  const block = image({ "usr/huge": file("") }, { format: "gnu" }).slice(0, 512);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  if (size < 8 ** 11) {
    put(124, `${size.toString(8).padStart(11, "0")}\0`);
  } else {
    block.fill(0, 124, 136);
    block[124] = 0x80;
    new DataView(block.buffer).setBigUint64(128, BigInt(size));
  }
  put(156, type);
  put(148, "        ");
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

const refusals: [what: string, tar: Bytes, says: string][] = [
  ["a sparse file of 9 GiB", concat([header(512, "S"), new Uint8Array(1536)]), "it is stored as a sparse file"],
  [
    "a file of 9 GiB that ends early",
    concat([header(9 * 2 ** 30), new Uint8Array(4096)]),
    "Its tar archive is cut short",
  ],
  ["a file larger than any disk", concat([header(2 ** 60), new Uint8Array(4096)]), "Header field size"],
  ["an entry of a vendor's type", concat([header(0, "V"), new Uint8Array(1024)]), 'it has the vendor type "V"'],
];

for (const [what, tar, says] of refusals) {
  for (const direct of [true, false]) {
    Deno.test(`ImagePull.import() with ${direct ? "the direct" : "libostree's"} writer refuses ${what}`, async () => {
      await using store = await testStore();
      const { reference, layers } = plainImage(`${store.path}/image`, { tar });
      const message = await failure(store.pull(reference, { direct }));
      assertStringIncludes(message, `Layer "${layers[0]!.digest}"`);
      assertStringIncludes(message, says);
      await fsck(store.repo);
    });
  }
}

Deno.test("ImagePull.import() writes a large file that compresses to nearly nothing", async () => {
  await using store = await testStore("bare-user");
  const tar = concat([header(200 << 20), new Uint8Array(200 << 20), new Uint8Array(1024)]);
  const { reference } = ociImage(`${store.path}/image`, {
    layers: [{ tar, blob: compress(tar, "zstd"), compression: "zstd" }],
  });
  const { image: pulled } = await store.pull(reference);
  assertEquals((await listTree(store.repo, pulled.commit))["/usr/huge"], `-00644 0 0 ${200 << 20}`);
});

Deno.test("ImagePull.import() takes layers without entries, and trees that become empty", async () => {
  await using store = await testStore();
  const zeros = new Uint8Array(10240);
  const { reference } = plainImage(
    `${store.path}/image`,
    { tar: zeros },
    { "usr/a/b": file("b") },
    { tar: zeros.slice(0, 1024) },
    { "usr/.wh.a": file("") },
    { tar: zeros.slice(0, 512) },
  );
  const { image: pulled } = await store.pull(reference);
  const { "/": _root, ...tree } = await listTree(store.repo, pulled.commit);
  assertEquals(tree, { "/usr": "d00755 0 0" });
  await fsck(store.repo);
});
