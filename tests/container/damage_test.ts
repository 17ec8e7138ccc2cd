import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Repo } from "../../lib/ostree/repo.ts";
import type { Bytes } from "../../lib/sys/libc.ts";
import {
  compress,
  concat,
  digestOf,
  file,
  image,
  type ImageSource,
  type LayerSource,
  link,
  ociImage,
  type Tree,
  type WrittenImage,
} from "../image.ts";
import { failure, fsck, type TestStore, testStore } from "./harness.ts";

const BASE: Tree = { "usr/": { type: "directory", mode: 0o755 }, "usr/base": file("base") };
/** The layer that is damaged: larger than the buffers that it passes, and nothing that compresses well. */
const TREE: Tree = {
  "usr/a": file("a"),
  "usr/noise": file(noise(1_500_000)),
  "usr/some": file(noise(200_000)),
  "usr/z": link("a"),
};
const TAR = image(TREE), GZIP = compress(TAR, "gzip"), ZSTD = compress(TAR, "zstd");

function noise(size: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let i = 0, x = 1; i < size; i++) {
    x = Math.imul(x, 1103515245) + 12345 >>> 0;
    bytes[i] = x >>> 16;
  }
  return bytes;
}

function flipped(bytes: Bytes, at: number): Bytes {
  const copy = bytes.slice();
  copy[at < 0 ? copy.length + at : at]! ^= 0x10;
  return copy;
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** The good image, and the same with a damaged second layer or a lie. */
function writeImage(directory: string, layer: LayerSource, more: Partial<ImageSource> = {}): WrittenImage {
  return ociImage(directory, { layers: [image(BASE), layer], labels: { "containers.bootc": "1" }, ...more });
}

/** Pulls what is damaged twice, then the good image: its sound layers are reused, and nothing else. */
async function assertRefused(
  store: TestStore,
  bad: WrittenImage,
  says: { layer?: number | undefined; text: string | RegExp },
): Promise<void> {
  const good = writeImage(`${store.path}/good`, { tar: TAR });
  for (const round of ["first", "second"]) {
    const message = await failure(store.pull(bad.reference));
    assertStringIncludes(message, `Cannot pull "ostree-unverified-image:${bad.reference}": `, round);
    if (says.layer !== undefined) assertStringIncludes(message, `Layer "${bad.layers[says.layer]!.digest}"`, round);
    if (typeof says.text === "string") assertStringIncludes(message, says.text, round);
    else assert(says.text.test(message), `${round}: ${message}`);
    await fsck(store.repo);
    using repo = Repo.open(store.repo);
    const images = [...repo.listRefs("ostree/container/image").keys()];
    assertEquals(images, []);
    assertEquals(Deno.readDirSync(`${store.repo}/tmp`).filter(({ name }) => name.startsWith("tmp-")).toArray(), []);
  }
  await store.pull(good.reference);
  await fsck(store.repo);
}

interface Damage {
  readonly what: string;
  readonly layer?: LayerSource;
  readonly lie?: ImageSource["lie"];
  /** Done to the image's directory. */
  readonly spoil?: (directory: string, written: WrittenImage) => void;
  readonly says: string | RegExp;
  /** False where the message cannot know the layer. */
  readonly named?: false;
}

function blobPath(directory: string, digest: string): string {
  return `${directory}/blobs/${digest.replace(":", "/")}`;
}

/** Replaces the bytes under a digest. */
function spoilBlob(change: (bytes: Bytes) => Bytes): NonNullable<Damage["spoil"]> {
  return (directory, written) => {
    const path = blobPath(directory, written.layers[1]!.digest);
    Deno.writeFileSync(path, change(Deno.readFileSync(path)));
  };
}

const AT_NOISE = ' at entry "usr/';

const damages: Damage[] = [
  { what: "a blob that is cut short", spoil: spoilBlob((bytes) => bytes.slice(0, 1_000_000)), says: AT_NOISE },
  { what: "an empty blob", spoil: spoilBlob(() => new Uint8Array(0)), says: "Cannot fetch blob" },
  {
    what: "a missing blob",
    spoil: (directory, written) => Deno.removeSync(blobPath(directory, written.layers[1]!.digest)),
    says: /no such file or directory/,
  },
  { what: "a corrupt blob", spoil: spoilBlob((bytes) => flipped(bytes, 1_000_000)), says: AT_NOISE },
  {
    what: "a blob whose last bytes are corrupt",
    spoil: spoilBlob((bytes) => flipped(bytes, -2)),
    says: /: .*gzip|Cannot fetch blob/i,
  },
  {
    what: "a blob of another image under the digest",
    spoil: spoilBlob(() => compress(image({ "usr/evil": file("evil") }), "gzip")),
    says: "Cannot fetch blob",
  },
  {
    what: "another blob of the same size under the digest",
    layer: { tar: TAR, compression: "none" },
    spoil: spoilBlob(() => image({ ...TREE as Record<string, never>, "usr/a": file("b") })),
    says: "Cannot fetch blob",
  },
  { what: "a wrong digest", lie: { digest: 1 }, says: "Cannot fetch blob" },
  { what: "a wrong size", lie: { size: 1 }, says: /shorter than its descriptor says|Cannot fetch blob/ },
  { what: "a wrong diff_id", lie: { diffId: 1 }, says: ": Its diff_id is sha256:" },
  {
    what: "a missing diff_id",
    lie: { missingDiffId: true },
    says: "Manifest and config do not fit: 2 layers and 1 diff_ids",
    named: false,
  },
  {
    what: "bytes after the end of a gzip member",
    layer: { tar: TAR, blob: concat([GZIP, new TextEncoder().encode("trailing garbage")]) },
    says: /: .*gzip/i,
  },
  {
    what: "zeros after the end of a gzip member",
    layer: { tar: TAR, blob: concat([GZIP, new Uint8Array(512)]) },
    says: /: .*gzip/i,
  },
  {
    what: "bytes after the end of a zstd frame",
    layer: { tar: TAR, compression: "zstd", blob: concat([ZSTD, new TextEncoder().encode("trailing garbage")]) },
    says: /: .*zstd/i,
  },
  {
    what: "a gzip member without its last bytes, under its own digest",
    layer: { tar: TAR, blob: GZIP.slice(0, -4) },
    says: "Its compressed data is cut short",
  },
  {
    what: "a zstd frame without its last bytes, under its own digest",
    layer: { tar: TAR, compression: "zstd", blob: ZSTD.slice(0, -4) },
    says: "Its compressed data is cut short",
  },
  { what: "plain bytes that should be gzip", layer: { tar: TAR, blob: TAR }, says: /: .*gzip/i },
  {
    what: "bytes after the end of the archive",
    layer: { tar: concat([TAR, new TextEncoder().encode("more")]) },
    says: "Bytes after the end of the archive",
  },
  {
    what: "a second archive behind the first",
    layer: { tar: concat([TAR, image({ "usr/evil": file("evil") })]) },
    says: "Bytes after the end of the archive",
  },
  {
    what: "an archive cut short in a whole gzip, within a file",
    layer: { tar: TAR.slice(0, 1_000_000) },
    says: "Its tar archive is cut short",
  },
  {
    what: "an archive cut short in a whole gzip, between files",
    layer: { tar: TAR.slice(0, TAR.length - 1024) },
    says: "Its tar archive is cut short",
  },
  {
    what: "an archive cut short within a small file",
    layer: { tar: image({ "usr/a": file(noise(5000)) }).slice(0, 3000) },
    says: "Its tar archive is cut short",
  },
  {
    what: "an archive cut short within a header",
    layer: { tar: TAR.slice(0, 700) },
    says: "Its tar archive is cut short",
  },
  { what: "a layer without any bytes", layer: { tar: new Uint8Array(0) }, says: "Its tar archive is cut short" },
  { what: "a layer that is no archive", layer: { tar: noise(4096) }, says: "Wrong header checksum" },
  {
    what: "a layer of an unknown media type",
    spoil: (directory, written) =>
      rewriteManifest(directory, written, (layer) => ({ ...layer, mediaType: "text/plain" })),
    says: 'text/plain"',
    named: false,
  },
  {
    what: "one blob with two diff_ids",
    spoil: (directory, written) =>
      rewriteManifest(directory, written, (layer, i) => i === 0 ? { ...layer, ...second(written) } : layer),
    says: "are the same blob",
    named: false,
  },
];

function second(written: WrittenImage): { digest: string; size: number } {
  const { digest, size } = written.layers[1]!;
  return { digest, size };
}

type Descriptor = Record<string, unknown>;

function rewriteManifest(
  directory: string,
  written: WrittenImage,
  change: (layer: Descriptor, index: number) => Descriptor,
): void {
  const manifest = json({ ...written.manifest, layers: (written.manifest.layers as Descriptor[]).map(change) });
  const digest = digestOf(manifest);
  Deno.writeFileSync(blobPath(directory, digest), manifest);
  const index = JSON.parse(Deno.readTextFileSync(`${directory}/index.json`));
  Object.assign(index.manifests[0], { digest, size: manifest.length });
  Deno.writeTextFileSync(`${directory}/index.json`, JSON.stringify(index));
}

for (const { what, layer, lie, spoil, says, named } of damages) {
  Deno.test(`ImagePull.import() refuses ${what}, and trusts nothing of it later`, async () => {
    await using store = await testStore();
    const directory = `${store.path}/bad`;
    const bad = writeImage(directory, layer ?? { tar: TAR }, lie === undefined ? {} : { lie });
    spoil?.(directory, bad);
    await assertRefused(store, bad, { layer: named === false ? undefined : 1, text: says });
  });
}

for (const direct of [true, false]) {
  Deno.test(`ImagePull.import() with ${direct ? "the direct" : "libostree's"} writer leaves nothing of a wrong layer's tree`, async () => {
    await using store = await testStore("bare-user");
    const bad = writeImage(`${store.path}/bad`, { tar: TAR }, { lie: { diffId: 1 } });
    await failure(store.pull(bad.reference, { direct }));
    using repo = Repo.open(store.repo);
    assertEquals([...repo.listRefs().keys()].length, 1);
    await store.pull(writeImage(`${store.path}/good`, { tar: TAR }).reference, { direct });
    await fsck(store.repo);
  });
}

Deno.test("ImagePull.prepare() refuses a stored layer under another diff_id", async () => {
  await using store = await testStore();
  await store.pull(writeImage(`${store.path}/good`, { tar: TAR }).reference);
  const liar = writeImage(`${store.path}/liar`, { tar: TAR }, { lie: { diffId: 1 } });
  const message = await failure(store.pull(liar.reference));
  assertStringIncludes(message, `Layer "${liar.layers[1]!.digest}" has the diff_id ${digestOf(TAR)}; `);
  assertStringIncludes(message, `the image's config says sha256:`);
});
