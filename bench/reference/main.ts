/**
 * "The reference's way" of pulling an image, as a program of its own: REPO IMAGE. It is what ostree-ext does, step for step, with the
 * fastest parts at hand: our own proxy client and tar parser, zlib through FFI, no diff_id, no progress, no image metadata.
 *
 * Each layer in turn comes from skopeo's proxy and is inflated by zlib in the thread that imports it. Native objects are written one by one
 * with `write_regfile_inline`; derived layers are filtered and piped into `ostree commit --tree=tar`. Then the union of all layers is checked
 * out and committed. A layer whose ref is there is not fetched again.
 */
import { decoderFor } from "../../lib/codec/inflate.ts";
import { type TarSink, TarWalk } from "../../lib/codec/tar.ts";
import { type ImageLayer, imageLayout } from "../../lib/container/layout.ts";
import { NativeLayer } from "../../lib/container/native_layer.ts";
import { parseImageConfig } from "../../lib/oci/config.ts";
import { parseManifest } from "../../lib/oci/manifest.ts";
import { parseImageReference } from "../../lib/oci/reference.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { ImageProxy } from "../../lib/skopeo/proxy.ts";
import { type Context, plainContext } from "../../lib/sys/context.ts";
import { type Bytes, doubleRing, tryRead, waitReadable } from "../../lib/sys/libc.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { FilteringSink } from "./derived.ts";
import { InlineStore, SMALL_FILE_BYTES } from "./store.ts";

const PIECE_BYTES = 256 * 1024;

class ReferencePull {
  readonly #input: Bytes = new Uint8Array(PIECE_BYTES);
  readonly #ring = doubleRing(2 << 20);

  constructor(readonly ctx: Context, readonly repoPath: string, readonly proxy: ImageProxy, readonly image: number) {}

  /** Reads a layer to its end, inflates and parses it, all in this thread. */
  async #read(layer: ImageLayer, sink: TarSink): Promise<void> {
    const decoder = decoderFor(layer.compression, { input: this.#input, output: this.#ring }, { isal: false });
    const walk = new TarWalk(sink, SMALL_FILE_BYTES);
    using blob = await this.proxy.blob(this.image, layer.digest, layer.size);
    const { size, view } = this.#ring;
    let [start, filled] = [0, 0];
    for (let left = layer.size; left > 0;) {
      const length = tryRead(blob.fd, this.#input);
      if (length < 0) {
        await waitReadable(blob.fd);
        continue;
      }
      left -= length;
      decoder.feed(length);
      for (let out = -1; out !== 0 || decoder.inputLeft > 0;) {
        out = decoder.run((start + filled) % size, Math.min(PIECE_BYTES, size - filled));
        filled += out;
        const came = walk.feed(view, start, start + filled);
        filled -= came - start;
        start = came % size;
      }
    }
    blob.close();
    await blob.finish();
  }

  /** The commit that the layer brought, or undefined for a chunk. */
  async #native(layer: ImageLayer, base: string | undefined): Promise<string> {
    using repo = Repo.open(this.repoPath);
    const store = new InlineStore(repo);
    store.begin();
    const sink = new NativeLayer(store, { listFiles: false });
    await this.#read(layer, sink);
    const commit = sink.commit ?? base;
    if (commit === undefined) throw new Error("The image has no commit");
    store.setRef(layer.ref, commit);
    await store.commit();
    return commit;
  }

  async #derived(layer: ImageLayer): Promise<void> {
    const directory = await Deno.makeTempDir();
    const fifo = `${directory}/layer.tar`;
    try {
      await run(this.ctx, ["mkfifo", fifo]);
      // deno-fmt-ignore
      const committed = run(this.ctx, [
        "ostree", "commit", `--repo=${this.repoPath}`, "--branch", layer.ref, "--no-bindings", "--tar-autocreate-parents",
        "--timestamp=@0", `--tree=tar=${fifo}`,
      ]);
      const sink = new FilteringSink(fifo);
      await this.#read(layer, sink);
      sink.finish();
      await committed;
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }

  /** Checks all layers out over each other and commits the result. */
  async #merge(layers: readonly ImageLayer[]): Promise<string> {
    const tree = `${this.repoPath}/tmp/reference-merge`;
    await run(this.ctx, ["rm", "-rf", "--", tree]);
    for (const { ref } of layers) {
      // deno-fmt-ignore
      await run(this.ctx, [
        "ostree", "checkout", `--repo=${this.repoPath}`, "--require-hardlinks", "--union", "--whiteouts",
        ref, tree,
      ]);
    }
    // deno-fmt-ignore
    const commit = await capture(this.ctx, [
      "ostree", "commit", `--repo=${this.repoPath}`, "--branch", "reference/image", "--no-bindings", "--timestamp=@0",
      "--link-checkout-speedup", "--consume", `--tree=dir=${tree}`,
    ]);
    return commit.trim();
  }

  async pull(): Promise<string> {
    const manifest = parseManifest((await this.proxy.manifest(this.image)).bytes);
    const config = parseImageConfig(await this.proxy.config(this.image));
    const layout = imageLayout(manifest, config);
    let base: string | undefined;
    for (const layer of layout.layers) {
      using repo = Repo.open(this.repoPath);
      const present = repo.resolve(layer.ref);
      if (present === undefined && layer.kind === "derived") await this.#derived(layer);
      else if (layer.kind !== "derived") base = present ?? await this.#native(layer, base);
    }
    return await this.#merge(layout.layers.filter((layer) => layer.kind !== "chunk"));
  }
}

const [repoPath, image] = Deno.args as [string, string];
const ctx = plainContext(Deno.env.toObject());
await using proxy = await ImageProxy.start(ctx);
const pull = new ReferencePull(ctx, repoPath, proxy, await proxy.openImage(parseImageReference(image)));
console.log(await pull.pull());
