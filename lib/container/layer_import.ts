/** The working half of a pull: layers into commits, commits into one tree. */
import { TarWalk } from "../codec/tar.ts";
import { imageTimestamp } from "../oci/config.ts";
import { encodeCommit, newCommit } from "../ostree/commit.ts";
import { isEmptyFile } from "../ostree/file_object.ts";
import { libostreeIsAtLeast } from "../ostree/libostree.ts";
import type { ObjectStore } from "../ostree/store.ts";
import { type TreeRef, Trees } from "../ostree/tree.ts";
import type { BlobPipe } from "../skopeo/proxy.ts";
import { Interrupted, throwIfInterrupted, UserError } from "../sys/errors.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { VERSION } from "../version.ts";
import { filterRules, requireComplete } from "./base_commit.ts";
import { DerivedLayer, type Labeler } from "./derived_layer.ts";
import { type ImageDescription, imageMetadata } from "./images.ts";
import { filteredAs, servesAs, storedLayer, writeChunkCommit, writeDerivedCommit } from "./layer_commit.ts";
import { INLINE_BYTES, LayerReader } from "./layer_reader.ts";
import type { ImageLayer } from "./layout.ts";
import { LayerMerge } from "./merge.ts";
import { NativeLayer } from "./native_layer.ts";
import type { FilterRules } from "./path_filter.ts";
import { describePlan, plannedLayers } from "./plan.ts";
import type { ImagePull, PreparedPull, PulledImage } from "./pull.ts";
import { imageRef } from "./refs.ts";

/** Container engines leave these in a layer as empty files; the host makes its own. */
const INJECTED = ["usr/etc/hostname", "usr/etc/resolv.conf"];

/** One run of {@linkcode ImagePull.import}. */
export class LayerImport {
  #reader: LayerReader;
  #commits = new Map<number, string>();
  #dropped = new Map<string, number>();
  #droppedPaths: string[] = [];
  #imported = 0;
  #next: { layer: ImageLayer; pipe: Promise<BlobPipe> } | undefined;

  constructor(
    readonly pull: ImagePull,
    readonly prepared: PreparedPull,
    readonly store: ObjectStore,
    readonly report: ReportProgress,
  ) {
    this.#reader = new LayerReader({ isal: pull.options.isal !== false });
  }

  /** See {@linkcode ImagePull.import}. */
  async run(): Promise<PulledImage> {
    const { plan, layout } = this.prepared;
    this.pull.ctx.note(describePlan(plan));
    this.report({ kind: "plan", layers: plannedLayers(plan) });
    await this.#adopt();
    const native = plan.fetch.filter(({ kind }) => kind !== "derived");
    const wantsDerived = new Set(plan.fetch.filter(({ kind }) => kind === "derived").map(({ index }) => index));
    for (const [i, layer] of native.entries()) {
      await this.#importNative(layer, native[i + 1] ?? plan.fetch[native.length]);
    }
    const base = layout.commit && this.#commits.get(layout.commit.index);
    const rules = await this.#rules(base);
    for (const layer of layout.derived) {
      const commit = this.#commits.get(layer.index);
      if (commit !== undefined && !filteredAs(this.pull.repo.loadCommit(commit), rules)) wantsDerived.add(layer.index);
    }
    const derived = layout.derived.filter(({ index }) => wantsDerived.has(index));
    for (const [i, layer] of derived.entries()) await this.#importDerived(layer, derived[i + 1], rules);
    this.#share();
    const image = await this.#merge(base);
    return { image, imported: this.#imported, dropped: this.#dropped, droppedPaths: this.#droppedPaths };
  }

  /** Takes stored layers as they are; one found by its content gets a ref under the new digest too. */
  async #adopt(): Promise<void> {
    const { repo } = this.pull;
    const found = this.prepared.plan.sources.filter((source) =>
      source.kind === "stored" || source.kind === "same-content"
    );
    for (const { layer, commit } of found) {
      if (!servesAs(repo.loadCommit(commit), layer.kind)) {
        throw new UserError(
          `Layer "${layer.digest}" is stored as a part of an ostree commit, and this image uses it as an ordinary layer`,
          {
            hint: "Remove the other image first",
          },
        );
      }
      this.#commits.set(layer.index, commit);
    }
    const renamed = found.filter(({ kind }) => kind === "same-content");
    if (renamed.length === 0) return;
    this.store.begin();
    for (const { layer, commit } of renamed) this.store.setRef(layer.ref, commit);
    await this.store.commit();
  }

  /** Layers that the image names twice have one commit. */
  #share(): void {
    for (const { kind, layer } of this.prepared.plan.sources) {
      if (kind !== "repeated") continue;
      const first = this.prepared.layout.layers.find(({ digest }) => digest === layer.digest)!;
      this.#commits.set(layer.index, this.#commits.get(first.index)!);
    }
  }

  /** The rules for derived layers; not looked for where there are none. */
  async #rules(base: string | undefined): Promise<FilterRules> {
    return await filterRules(this.store, base, { keepsVar: libostreeIsAtLeast(2024, 3) });
  }

  #request(layer: ImageLayer): Promise<BlobPipe> {
    const { proxy, imageId } = this.pull.opened;
    const pipe = proxy.blob(imageId, layer.digest, layer.size);
    pipe.catch(() => {}); // looked at when its turn comes
    return pipe;
  }

  /** Reads a layer's blob into a sink, in a transaction that the caller commits; the request for the next one goes out meanwhile. */
  async #read(layer: ImageLayer, next: ImageLayer | undefined, sink: NativeLayer | DerivedLayer): Promise<void> {
    const { signal } = this.pull.ctx;
    throwIfInterrupted(signal);
    const walk = new TarWalk(sink, INLINE_BYTES);
    this.report({ kind: "layer-start", index: layer.index });
    let reading = false;
    try {
      const pipe = await (this.#next?.layer === layer ? this.#next.pipe : this.#request(layer));
      this.#next = next && { layer: next, pipe: this.#request(next) };
      pipe.finish().catch(() => {}); // the answer comes when skopeo has sent all; see BlobPipe
      reading = true;
      await this.#reader.read(pipe, layer, walk, {
        signal,
        onBytes: (bytes) => this.report({ kind: "layer-bytes", index: layer.index, bytes }),
      });
    } catch (cause) {
      if (cause instanceof Interrupted || signal.aborted) throw new Interrupted();
      const where = reading && walk.entries > 0 && !walk.ended ? ` at entry ${walk.lastEntry}` : "";
      throw new UserError(`Layer "${layer.digest}"${where}`, {
        cause,
        hint: cause instanceof UserError ? cause.hint : undefined,
      });
    }
  }

  async #done(layer: ImageLayer, commit: string): Promise<void> {
    this.store.setRef(layer.ref, commit);
    await this.store.commit();
    this.#commits.set(layer.index, commit);
    this.#imported++;
    this.report({ kind: "layer-done", index: layer.index });
  }

  /** Commit point: the layer's transaction. */
  async #importNative(layer: ImageLayer, next: ImageLayer | undefined): Promise<void> {
    this.store.begin();
    const sink = new NativeLayer(this.store, { listFiles: layer.kind === "chunk" });
    await this.#read(layer, next, sink);
    if (layer.kind === "chunk") return await this.#done(layer, writeChunkCommit(this.store, sink.files.toSorted()));
    if (sink.commit === undefined) {
      throw new UserError(`Layer "${layer.digest}" holds no ostree commit`, {
        hint: "The image's label ostree.final-diffid is wrong, or the image is damaged",
      });
    }
    requireComplete(this.store, sink.commit);
    await this.#done(layer, sink.commit);
    if (sink.commitMetadata) this.pull.repo.writeDetachedMetadata(sink.commit, sink.commitMetadata);
  }

  /** Commit point: the layer's transaction. */
  async #importDerived(layer: ImageLayer, next: ImageLayer | undefined, rules: FilterRules): Promise<void> {
    this.store.begin();
    const sink = new DerivedLayer(this.store, rules, this.#labeler());
    await this.#read(layer, next, sink);
    const result = this.#finish(layer, sink);
    for (const [top, count] of result.facts.dropped) this.#dropped.set(top, (this.#dropped.get(top) ?? 0) + count);
    this.#droppedPaths.push(...result.facts.droppedPaths);
    await this.#done(layer, writeDerivedCommit(this.store, result, rules));
  }

  #finish(layer: ImageLayer, sink: DerivedLayer): ReturnType<DerivedLayer["finish"]> {
    try {
      return sink.finish();
    } catch (cause) {
      throw new UserError(`Layer "${layer.digest}"`, { cause });
    }
  }

  #labeler(): Labeler | undefined {
    return undefined;
  }

  /** Merges all layers and writes the image's commit and ref. Commit point: the transaction. */
  async #merge(base: string | undefined): Promise<PulledImage["image"]> {
    const { repo, reference } = this.pull;
    const { layout, image } = this.prepared;
    this.report({ kind: "step", name: "merging", index: 0, total: 1 });
    this.store.begin();
    const trees = new Trees(this.store);
    const layers = layout.derived.map(({ index }) => storedLayer(repo.loadCommit(this.#commits.get(index)!)));
    const bottom = base === undefined ? undefined : repo.loadCommit(base);
    const root = bottom
      ? trees.root(bottom.rootTree, bottom.rootMeta)
      : trees.empty(trees.root(layers[0]!.tree, layers[0]!.meta).meta);
    const merge = new LayerMerge(trees, root);
    for (const [i, layer] of layers.entries()) {
      try {
        merge.apply(layer);
      } catch (cause) {
        const hint = cause instanceof UserError ? cause.hint : undefined;
        throw new UserError(`Layer "${layout.derived[i]!.digest}"`, { cause, hint });
      }
    }
    if (layers.length > 0) await this.#dropInjected(trees, root);
    const tree = trees.arena.hex(trees.write(root));
    const commit = newCommit({
      parent: base,
      timestampSeconds: this.#timestamp(image),
      rootTree: tree,
      rootMeta: trees.arena.hex(root.meta),
      metadata: imageMetadata(image, VERSION),
    });
    const checksum = this.store.metadata("commit", encodeCommit(commit)).toHex();
    this.store.setRef(imageRef(reference.image), checksum);
    await this.store.commit();
    this.report({ kind: "step-done" });
    return { ...image, commit: checksum, base };
  }

  #timestamp(image: ImageDescription): number {
    const created = image.config && imageTimestamp(image.manifest, image.config);
    return Math.max(0, Math.floor((created ?? this.pull.ctx.now()).getTime() / 1000));
  }

  /** Only in what derived layers left: an empty file of the base is the base's own word. */
  async #dropInjected(trees: Trees, root: TreeRef): Promise<void> {
    for (const path of INJECTED) {
      const found = trees.find(root, path);
      if (found?.kind !== "file" || !await isEmptyFile(this.pull.repo, trees.arena.hex(found.checksum))) continue;
      let directory = root;
      const names = path.split("/");
      const leaf = names.pop()!;
      for (const name of names) directory = trees.change(directory).directories.get(name)!;
      trees.change(directory).files.delete(leaf);
    }
  }
}
