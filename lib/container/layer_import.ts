/** The working half of a pull: layers into commits, commits into one tree. */
import { imageTimestamp } from "../oci/config.ts";
import { encodeCommit, newCommit } from "../ostree/commit.ts";
import { isEmptyFile } from "../ostree/file_object.ts";
import { libostreeIsAtLeast } from "../ostree/libostree.ts";
import type { ObjectStore } from "../ostree/store.ts";
import { type TreeRef, Trees } from "../ostree/tree.ts";
import { UserError } from "../sys/errors.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { VERSION } from "../version.ts";
import { filterRules, requireComplete } from "./base_commit.ts";
import { DerivedLayer, type Labeler } from "./derived_layer.ts";
import { type ImageDescription, imageMetadata } from "./images.ts";
import { filteredAs, servesAs, storedLayer, writeChunkCommit, writeDerivedCommit } from "./layer_commit.ts";
import { LayerFetch } from "./layer_fetch.ts";
import type { ImageLayer } from "./layout.ts";
import { LayerMerge } from "./merge.ts";
import { NativeLayer } from "./native_layer.ts";
import type { FilterRules } from "./path_filter.ts";
import { plannedLayers } from "./plan.ts";
import type { ImagePull, PreparedPull, PulledImage } from "./pull.ts";
import { imageRef } from "./refs.ts";

/** Container engines leave these in a layer as empty files; the host makes its own. */
const INJECTED = ["usr/etc/hostname", "usr/etc/resolv.conf"];

/** One run of {@linkcode ImagePull.import}. */
export class LayerImport {
  #fetch: LayerFetch;
  #commits = new Map<number, string>();
  #dropped = new Map<string, number>();
  #droppedPaths: string[] = [];
  #imported = 0;

  constructor(
    readonly pull: ImagePull,
    readonly prepared: PreparedPull,
    readonly store: ObjectStore,
    readonly report: ReportProgress,
  ) {
    this.#fetch = new LayerFetch(pull.ctx, pull.opened, { isal: pull.options.isal !== false, report });
  }

  /** See {@linkcode ImagePull.import}. */
  async run(): Promise<PulledImage> {
    const { plan, layout } = this.prepared;
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
    await this.#fetch.read(layer, next, sink);
    if (layer.kind === "chunk") return await this.#done(layer, writeChunkCommit(this.store, sink.files.toSorted()));
    const commit = sink.requireCommit(layer.digest);
    requireComplete(this.store, commit);
    await this.#done(layer, commit);
    if (sink.commitMetadata) this.pull.repo.writeDetachedMetadata(commit, sink.commitMetadata);
  }

  /** Commit point: the layer's transaction. */
  async #importDerived(layer: ImageLayer, next: ImageLayer | undefined, rules: FilterRules): Promise<void> {
    this.store.begin();
    const sink = new DerivedLayer(this.store, rules, this.#labeler());
    await this.#fetch.read(layer, next, sink);
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
    const { repo, storedAs } = this.pull;
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
    if (storedAs) this.store.setRef(imageRef(storedAs), checksum);
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
