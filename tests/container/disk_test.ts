import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { plainContext } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";
import { file, type WrittenImage } from "../image.ts";
import { ostreeInit } from "../ostree_cli.ts";
import { failure, fsck, plainImage, pullImage, refRoots, testStore } from "./harness.ts";

const ctx = plainContext(Deno.env.toObject());

/** A file system of its own, in memory; mounting takes root, as does a bare repository. */
async function smallDisk(path: string, size: string): Promise<AsyncDisposable> {
  await Deno.mkdir(path);
  await run(ctx, ["mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]);
  return { [Symbol.asyncDispose]: () => run(ctx, ["umount", path]) };
}

function names(directory: string): string[] {
  return Deno.readDirSync(directory).map(({ name }) => name).toArray().sort();
}

const noise = crypto.getRandomValues(new Uint8Array(60_000));

/** Bytes that no compressor makes smaller, or that one makes nearly nothing of. */
function body(size: number, kind: "noise" | "zeros"): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size).map((_, i) => kind === "zeros" ? 0 : noise[(i * 7 + (i >> 15)) % 60_000]! ^ (i >> 13));
}

Deno.test("ImagePull.import() refuses before fetching what the disk cannot take", async () => {
  await using store = await testStore();
  await using _disk = await smallDisk(`${store.path}/disk`, "4m");
  const repo = `${store.path}/disk/repo`;
  await ostreeInit(repo, "bare");
  const { reference } = plainImage(`${store.path}/image`, { "usr/body": file(body(6 << 20, "noise")) });
  const message = await failure(pullImage(store.ctx, { repo, reference }));
  assert(
    /^Insufficient free space for \S+ \(available: \d\.\d MB required: \d\.\d MB\)$/
      .test(message.replaceAll("\u00a0", " ")),
    message,
  );
  assertEquals(names(`${repo}/tmp`), ["cache"]);
  assertEquals(names(`${repo}/objects`), []);
});

Deno.test("ImagePull.import() refuses a layer of a petabyte by its descriptor alone", async () => {
  await using store = await testStore();
  const directory = `${store.path}/image`;
  const written = plainImage(directory, { "usr/a": file("a") });
  setLayerSize(directory, written, 999_999_999_999_999);
  const message = await failure(store.pull(written.reference));
  assertStringIncludes(
    message,
    `Insufficient free space for ${written.reference.slice("oci:".length)} (available: `,
  );
  assertStringIncludes(message.replaceAll("\u00a0", " "), "required: 1000.0 TB)");
  assertEquals(names(`${store.repo}/tmp`), ["cache"]);
});

function setLayerSize(directory: string, written: WrittenImage, size: number): void {
  const blob = (digest: string) => `${directory}/blobs/${digest.replace(":", "/")}`;
  const text = Deno.readTextFileSync(blob(written.digest)).replace(
    `"size":${written.layers[0]!.size}`,
    `"size":${size}`,
  );
  const path = `${directory}/index.json`;
  const manifest = new TextEncoder().encode(text);
  const index = JSON.parse(Deno.readTextFileSync(path));
  const digest = new Uint8Array(32);
  Object.assign(index.manifests[0], { size: manifest.length, digest: `sha256:${digest.toHex()}` });
  Deno.writeTextFileSync(path, JSON.stringify(index));
  Deno.writeFileSync(blob(`sha256:${digest.toHex()}`), manifest);
}

for (const [reserve, says] of [["0", "No space left on device"], ["10", "min-free-space"]] as const) {
  for (const direct of [true, false]) {
    const writer = direct ? "the direct" : "libostree's";
    Deno.test(`ImagePull.import() with ${writer} writer and ${reserve} % in reserve stops when the disk is full`, async () => {
      await using store = await testStore();
      await using _disk = await smallDisk(`${store.path}/disk`, "10m");
      const repo = `${store.path}/disk/repo`;
      await ostreeInit(repo, "bare");
      await Deno.writeTextFile(`${repo}/config`, `min-free-space-percent=${reserve}\n`, { append: true });
      const small = { "usr/first": file(body(100_000, "noise")) };
      const layers = Object.fromEntries(
        Array.from({ length: 40 }, (_, i) => [`usr/zeros${i}`, file(body(400_000 + i, "zeros"))]),
      );
      const large = { "usr/large": file(body(30 << 20, "zeros")) };
      for (const tree of [layers, large]) {
        const { reference, layers: written } = plainImage(`${store.path}/image`, small, tree);
        const message = await failure(pullImage(store.ctx, { repo, reference }, { direct }));
        assertStringIncludes(
          message,
          `Cannot pull "ostree-unverified-image:${reference}": Layer "${written[1]!.digest}"`,
        );
        assert([says, "No space left on device"].some((text) => message.includes(text)), message);
        assertEquals(Object.keys(refRoots(repo)).length, 1);
        await fsck(repo);
        assertEquals(names(`${repo}/tmp`).filter((name) => name.startsWith("tmp-")), []);
        await Deno.remove(`${store.path}/image`, { recursive: true });
      }
    });
  }
}
