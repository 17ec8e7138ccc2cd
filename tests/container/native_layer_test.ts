import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encode, Variant } from "../../lib/codec/gvariant.ts";
import { sha256 } from "../../lib/codec/sha256.ts";
import { encodeCommit, encodeMetadata, newCommit } from "../../lib/ostree/commit.ts";
import { dirmetaBytes } from "../../lib/ostree/objects.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { type Bytes, cstr, lsetxattr } from "../../lib/sys/libc.ts";
import {
  digestOf,
  file,
  hardlink,
  image,
  nativeImage,
  nativeLayers,
  type NativeLayout,
  type Node,
  ociImage,
  type WrittenImage,
} from "../image.ts";
import { ostreeText } from "../ostree_cli.ts";
import { writeOsTree } from "../sysroot.ts";
import { baseCommit, failure, fsck, newRepo, refRoots, rootOf, testStore } from "./harness.ts";

const encoder = new TextEncoder();

/** A commit with owners, modes and xattrs, as a real repository has them. */
async function richCommit(path: string): Promise<{ repo: string; commit: string }> {
  const repo = `${path}/rich-repo`, tree = `${path}/rich-tree`;
  await newRepo(repo, "bare");
  await writeOsTree(tree, { files: { "usr/bin/ping": "ping\n", "usr/bin/two": "two\n", "usr/lib/empty": "" } });
  await Deno.chown(`${tree}/usr/bin/two`, 12, 34);
  await Deno.chmod(`${tree}/usr/bin/two`, 0o4751);
  await Deno.mkdir(`${tree}/usr/lib/private`, { mode: 0o700 });
  await Deno.writeFile(`${tree}/usr/lib/private/large`, new Uint8Array(3 << 20).fill(7));
  const setXattr = (path: string, name: string, value: Bytes) => lsetxattr(cstr(`${tree}/${path}`), cstr(name), value);
  setXattr("usr/bin/ping", "security.capability", Uint8Array.fromHex("0100000200200000000000000000000000000000"));
  setXattr("usr/bin/two", "user.one", encoder.encode("1"));
  setXattr("usr/bin/two", "user.another", encoder.encode("2"));
  const commit = await ostreeText("commit", `--repo=${repo}`, "--branch=os", tree);
  return { repo, commit: commit.trim() };
}

for (const layout of ["v0", "v1-old", "v1-new"] satisfies NativeLayout[]) {
  for (const chunks of [0, 1, 5]) {
    for (const mode of ["bare", "bare-user"]) {
      Deno.test(`ImagePull.import() reads layout ${layout} in ${chunks} chunks into a ${mode} repository`, async () => {
        await using store = await testStore(mode);
        const base = await richCommit(store.path);
        const written = await nativeImage(`${store.path}/image`, base, { layout, chunks });
        const { image: pulled, imported } = await store.pull(written.reference);
        assertEquals(imported, chunks + 1);
        assertEquals(pulled.base, base.commit);
        assertEquals(rootOf(store.repo, pulled.commit), rootOf(base.repo, base.commit));
        await fsck(store.repo);
      });
    }
  }
}

Deno.test("ImagePull.import() keeps the detached metadata of the image's commit", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path);
  const metadata = encodeMetadata(new Map([["ostree.gpgsigs", new Variant("aay", [encoder.encode("signature")])]]));
  using repo = Repo.open(base.repo);
  repo.writeDetachedMetadata(base.commit, metadata);
  await store.pull((await nativeImage(`${store.path}/image`, base)).reference);
  using pulled = Repo.open(store.repo);
  assertEquals(pulled.readDetachedMetadata(base.commit), metadata);
});

Deno.test("ImagePull.import() takes 70 chunks", async () => {
  await using store = await testStore();
  const base = await baseCommit(store.path);
  const { image: pulled, imported } = await store.pull(
    (await nativeImage(`${store.path}/image`, base, { chunks: 70, compression: "none" })).reference,
  );
  // Most of them are empty, and so the same blob.
  assert(imported > 5 && imported < 71, String(imported));
  assertEquals(rootOf(store.repo, pulled.commit), rootOf(base.repo, base.commit));
  await fsck(store.repo);
});

/** A native image of these layers, the first with the commit. */
function native(directory: string, layers: Bytes[]): WrittenImage {
  return ociImage(directory, {
    layers,
    labels: { "ostree.final-diffid": digestOf(layers.at(-1)!), "containers.bootc": "1" },
  });
}

Deno.test("ImagePull.import() refuses an image that lacks an object of its commit, and refers to nothing", async () => {
  await using store = await testStore();
  const base = await richCommit(store.path);
  const layers = await nativeLayers(base.repo, base.commit, { chunks: 3 });
  const { reference, layers: written } = native(`${store.path}/image`, [layers[0]!, layers[1]!, layers[3]!]);
  const message = await failure(store.pull(reference));
  assertStringIncludes(message, `Cannot pull "ostree-unverified-image:${reference}": `);
  assertStringIncludes(message, `Layer "${written[0]!.digest}": The image lacks the file object `);
  assertStringIncludes(message, ` of its commit ${base.commit}`);
  using repo = Repo.open(store.repo);
  assertEquals([...repo.listRefs().values()].includes(base.commit), false);
  assertEquals(repo.hasObject("commit", base.commit), false);
  await fsck(store.repo);
});

/** Where an object lies in a layer. */
function objectPath(checksum: string, extension: string): string {
  return `sysroot/ostree/repo/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.${extension}`;
}

/** A commit's own layer from metadata objects in their order; each is named by its checksum unless a name is given. */
function metadataLayer(objects: readonly [type: string, bytes: Bytes, name?: string][]): Bytes {
  return image(objects.map(([type, bytes, name]): [string, Node] => [
    objectPath(name ?? sha256(bytes).toHex(), type),
    file(bytes),
  ]));
}

const DIRMETA = dirmetaBytes({ uid: 0, gid: 0, mode: 0o755 });
const EMPTY_FILE = Uint8Array.fromHex("00".repeat(32));

/** A commit object whose root is this dirtree. */
function commitOf(dirtree: Bytes, options: { metadata?: Map<string, Variant>; meta?: Bytes } = {}): Bytes {
  return encodeCommit(newCommit({
    timestampSeconds: 1,
    rootTree: sha256(dirtree).toHex(),
    rootMeta: sha256(options.meta ?? DIRMETA).toHex(),
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
  }));
}

const dirtree = (files: [string, Bytes][], directories: [string, Bytes, Bytes][] = []) =>
  encode("(a(say)a(sayay))", [files, directories]);
const EMPTY_TREE = dirtree([]);
const GOOD: [string, Bytes][] = [["commit", commitOf(EMPTY_TREE)], ["dirmeta", DIRMETA], ["dirtree", EMPTY_TREE]];

function withTree(tree: Bytes): Bytes {
  return metadataLayer([["commit", commitOf(tree)], ["dirmeta", DIRMETA], ["dirtree", tree]]);
}

/** A dirtree with a name that no text can be. */
function rawName(name: Bytes): Bytes {
  const tree = dirtree([["#".repeat(name.length), EMPTY_FILE]]);
  tree.set(name, tree.indexOf(0x23));
  return tree;
}

const EMPTY_XATTR = encode("a(ayay)", [[encoder.encode("user.a\0"), new Uint8Array(0)]]);
const OTHER_COMMIT = commitOf(dirtree([["other", EMPTY_FILE]]));
const FILE_NAME = "ab".repeat(32);
const DEEP = 3000;

/** Directories in each other, as deep as no path can be. */
function deepLayer(): Bytes {
  const objects: [string, Bytes][] = [["dirmeta", DIRMETA]];
  let tree = EMPTY_TREE;
  for (let i = 0; i < DEEP; i++) {
    objects.push(["dirtree", tree]);
    tree = dirtree([], [["d", sha256(tree), sha256(DIRMETA)]]);
  }
  return metadataLayer([["commit", commitOf(tree)], ...objects, ["dirtree", tree]]);
}

const hostile: [what: string, layer: () => Bytes, says: string][] = [
  [
    "a file whose bytes are not what its name says",
    () => image([...layerEntries(GOOD), [objectPath(FILE_NAME, "file"), file("x")]]),
    `Object ${FILE_NAME} is corrupt`,
  ],
  [
    "metadata whose bytes are not what their name says",
    () => metadataLayer([...GOOD, ["dirtree", EMPTY_TREE, FILE_NAME]]),
    `Object ${FILE_NAME} is corrupt`,
  ],
  ["two commits", () => metadataLayer([...GOOD, ["commit", OTHER_COMMIT]]), "The layer holds more than one commit"],
  ["no commit", () => metadataLayer(GOOD.slice(1)), "holds no ostree commit"],
  ["a commit without its tree", () => metadataLayer(GOOD.slice(0, 2)), "The image lacks the dirtree object"],
  [
    "a commit without its directory's metadata",
    () => metadataLayer([GOOD[0]!, GOOD[2]!]),
    "The image lacks the dirmeta object",
  ],
  ["a commit that says it is a layer of ours", () => {
    const metadata = new Map([["bootc.layer.kind", new Variant("s", "derived")]]);
    return metadataLayer([["commit", commitOf(EMPTY_TREE, { metadata })], GOOD[1]!, GOOD[2]!]);
  }, 'The image\'s commit has the metadata key "bootc.layer.kind"'],
  [
    "an object of a kind that ostree does not know",
    () => metadataLayer([...GOOD, ["payload-link", EMPTY_TREE]]),
    "is no object that ostree knows",
  ],
  [
    "an object whose name is no checksum",
    () => metadataLayer([...GOOD, ["file", EMPTY_TREE, "AB".repeat(32)]]),
    "An object's name is no checksum",
  ],
  ["a commit that is no commit", () => metadataLayer([["commit", encoder.encode("commit")]]), 'at entry "sysroot'],
  ["a dirmeta that is none", () => {
    const meta = dirmetaBytes({ uid: 0, gid: 0, mode: 0o755 });
    meta[10] = 0x80;
    return metadataLayer([["dirmeta", meta]]);
  }, "A dirmeta object is malformed"],
  [
    "detached metadata of another commit",
    () => metadataLayer([...GOOD, ["commitmeta", encodeMetadata(new Map()), FILE_NAME]]),
    "Detached metadata belong to no commit before them",
  ],
  [
    "detached metadata that are none",
    () => metadataLayer([...GOOD, ["commitmeta", encoder.encode("none"), sha256(GOOD[0]![1]).toHex()]]),
    "at entry",
  ],
  ['a tree with ".."', () => withTree(dirtree([["..", EMPTY_FILE]])), "a name is a dot or two"],
  ['a directory "."', () => withTree(dirtree([], [[".", EMPTY_FILE, EMPTY_FILE]])), "a name is a dot or two"],
  ['a tree with "/"', () => withTree(dirtree([["a/b", EMPTY_FILE]])), "a name holds a slash or NUL"],
  ["an empty name", () => withTree(dirtree([["", EMPTY_FILE]])), "a name is empty, too long or not terminated"],
  ["a name of 256 bytes", () => withTree(dirtree([["n".repeat(256), EMPTY_FILE]])), "a name is empty, too long"],
  ["an unsorted tree", () => withTree(dirtree([["b", EMPTY_FILE], ["a", EMPTY_FILE]])), "its names are not sorted"],
  ["a name twice", () => withTree(dirtree([["a", EMPTY_FILE], ["a", EMPTY_FILE]])), "its names are not sorted"],
  ["a name that is not UTF-8", () => withTree(rawName(new Uint8Array([0xff, 0x61]))), "a name is not UTF-8"],
  ["a name with a NUL", () => withTree(rawName(new Uint8Array([0x61, 0x00, 0x61]))), "a name holds a slash or NUL"],
  [
    "a tree that is cut short",
    () => withTree(dirtree([["a", EMPTY_FILE]]).slice(0, 20)),
    "A dirtree object is malformed",
  ],
  ["a tree deeper than any path", deepLayer, "has more than 2048 levels of directories"],
  [
    "xattrs in an empty set's place that do not parse",
    () => image([[objectPath(FILE_NAME, "file-xattrs-link"), file("nonsense!")]]),
    "extended attributes is malformed",
  ],
  [
    "an empty xattr",
    () => image([[objectPath(FILE_NAME, "file-xattrs-link"), file(EMPTY_XATTR)]]),
    'Extended attribute "user.a" is empty',
  ],
  [
    "shared xattrs that are not what their name says",
    () => image([[objectPath(FILE_NAME, "file-xattrs"), file("")]]),
    `The set of extended attributes "${FILE_NAME}" is corrupt`,
  ],
  [
    "a link to xattrs that are not there",
    () => image([[objectPath(FILE_NAME, "file-xattrs-link"), hardlink(objectPath(FILE_NAME, "file-xattrs"))]]),
    "which a link to extended attributes names, is not in the layer before it",
  ],
  [
    "xattrs of more than a mebibyte",
    () => image([[objectPath(FILE_NAME, "file-xattrs-link"), file(new Uint8Array((1 << 20) + 1))]]),
    "A file-xattrs-link object has 1048577 bytes; the limit is 1048576",
  ],
  [
    "a metadata object of more than 10 MiB",
    () => image([[objectPath(FILE_NAME, "dirtree"), file(new Uint8Array((10 << 20) + 1))]]),
    "A dirtree object has 10485761 bytes; the limit is 10485760",
  ],
];

function layerEntries(objects: readonly [string, Bytes][]): [string, Node][] {
  return objects.map(([type, bytes]) => [objectPath(sha256(bytes).toHex(), type), file(bytes)]);
}

Deno.test("ImagePull.import() takes the hand-made commit that the hostile ones are made of", async () => {
  await using store = await testStore();
  await store.pull(native(`${store.path}/image`, [metadataLayer(GOOD)]).reference);
  await fsck(store.repo);
});

for (const [what, layer, says] of hostile) {
  Deno.test(`ImagePull.import() refuses ${what}`, async () => {
    await using store = await testStore();
    const { reference, layers } = native(`${store.path}/image`, [layer()]);
    const message = await failure(store.pull(reference));
    assertStringIncludes(message, `Cannot pull "ostree-unverified-image:${reference}": Layer "${layers[0]!.digest}"`);
    assertStringIncludes(message, says);
    assertEquals(refRoots(store.repo), {});
    await fsck(store.repo);
  });
}
