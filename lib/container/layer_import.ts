/** The working half of a pull: layers into commits, commits into one tree. */
import { imageTimestamp } from "../oci/config.ts";
import { decodeCommit, encodeCommit, newCommit } from "../ostree/commit.ts";
import { libostreeIsAtLeast } from "../ostree/libostree.ts";
import { displayPath } from "../ostree/objects.ts";
import { type Labeler, policyLabeler } from "../ostree/relabel.ts";
import { SePolicy } from "../ostree/sepolicy.ts";
import type { ObjectStore } from "../ostree/store.ts";
import { UserError } from "../sys/errors.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { VERSION } from "../version.ts";
import { filterRules, requireComplete } from "./base_commit.ts";
import { DerivedLayer } from "./derived_layer.ts";
import { type ImageDescription, imageMetadata } from "./images.ts";
import { filteredAs, hasFactoryVar, requireNoLayer, writeChunkCommit, writeDerivedCommit } from "./layer_commit.ts";
import { LayerFetch } from "./layer_fetch.ts";
import type { ImageLayer } from "./layout.ts";
import { mergeImage } from "./merge_image.ts";
import { NativeLayer } from "./native_layer.ts";
import type { FilterRules } from "./path_filter.ts";
import { plannedLayers } from "./plan.ts";
import type { ImagePull, PreparedPull, PulledImage } from "./pull.ts";
import { imageRef } from "./refs.ts";

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
    using _requests = this.#fetch;
    this.report({ kind: "plan", layers: plannedLayers(plan) });
    await this.#adopt();
    const native = plan.fetch.filter(({ kind }) => kind !== "derived");
    const wantsDerived = new Set(plan.fetch.filter(({ kind }) => kind === "derived").map(({ index }) => index));
    for (const [i, layer] of native.entries()) {
      await this.#importNative(layer, native[i + 1] ?? plan.fetch[native.length]);
    }
    const base = layout.commit && this.#commits.get(layout.commit.index);
    if (base !== undefined) this.#completeBase(base, native);
    const rules = filterRules(this.store, base, { keepsVar: this.#keepsVar() });
    for (const layer of layout.derived) {
      const commit = this.#commits.get(layer.index);
      if (commit !== undefined && !filteredAs(this.pull.repo.loadCommit(commit), rules)) wantsDerived.add(layer.index);
    }
    const derived = layout.derived.filter(({ index }) => wantsDerived.has(index));
    using policy = this.#policy(base, derived.length, rules);
    const label = policy && policyLabeler(policy);
    for (const [i, layer] of derived.entries()) await this.#importDerived(layer, derived[i + 1], { rules, label });
    this.#share();
    const image = await this.#merge(base);
    return { image, imported: this.#imported, dropped: this.#dropped, droppedPaths: this.#droppedPaths };
  }

  /**
   * An image that was begun under an older libostree goes on with factory content: one tree has one place for /var, and a host that was
   * installed from elsewhere need not fetch it all anew for what only a first boot would look at.
   */
  #keepsVar(): boolean {
    if (!libostreeIsAtLeast(2024, 3)) return false;
    const lowest = this.prepared.layout.derived.find(({ index }) => this.#commits.has(index));
    return lowest === undefined || !hasFactoryVar(this.pull.repo.loadCommit(this.#commits.get(lowest.index)!));
  }

  /** Takes stored layers as they are; one found by its content gets a ref under the new digest too. */
  async #adopt(): Promise<void> {
    const found = this.prepared.plan.sources.filter((source) =>
      source.kind === "stored" || source.kind === "same-content"
    );
    for (const { layer, commit } of found) this.#commits.set(layer.index, commit);
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

  /** A commit that was stored before the chunks that came now, by an importer that does so, may not be whole. */
  #completeBase(base: string, fetched: readonly ImageLayer[]): void {
    const { repo } = this.pull;
    const partial = repo.isCommitPartial(base);
    const late = fetched.length > 0 && !fetched.some(({ kind }) => kind === "commit");
    if (partial || late) requireComplete(this.store, base);
    if (partial) repo.markCommitPartial(base, false);
  }

  /** Loading one takes a tenth of a second or more, so that it is done only for a layer to be labelled. */
  #policy(base: string | undefined, layers: number, rules: FilterRules): SePolicy | undefined {
    if (base === undefined || layers === 0 || rules.policy === "") return undefined;
    return SePolicy.fromCommit(this.pull.repo, base);
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
    if (layer.kind === "chunk") {
      return await this.#done(layer, writeChunkCommit(this.store, sink.files.toSorted(), layer.diffId));
    }
    const commit = sink.requireCommit(layer.digest);
    inLayer(layer, () => {
      requireNoLayer(decodeCommit(this.store.read("commit", commit)));
      requireComplete(this.store, commit);
    });
    if (sink.commitMetadata) this.pull.repo.writeDetachedMetadata(commit, sink.commitMetadata);
    await this.#done(layer, commit);
  }

  /** Commit point: the layer's transaction. */
  async #importDerived(
    layer: ImageLayer,
    next: ImageLayer | undefined,
    { rules, label }: { rules: FilterRules; label: Labeler | undefined },
  ): Promise<void> {
    this.store.begin();
    const sink = new DerivedLayer(this.store, rules, label);
    await this.#fetch.read(layer, next, sink);
    const result = inLayer(layer, () => sink.finish());
    for (const [top, count] of result.facts.dropped) {
      const name = displayPath(top);
      this.#dropped.set(name, (this.#dropped.get(name) ?? 0) + count);
    }
    this.#droppedPaths.push(...result.facts.droppedPaths.map(displayPath));
    await this.#done(layer, writeDerivedCommit(this.store, { ...result, diffId: layer.diffId }, rules));
  }

  /** Merges all layers and writes the image's commit and ref. Commit point: the transaction. */
  async #merge(base: string | undefined): Promise<PulledImage["image"]> {
    const { storedAs } = this.pull;
    const { layout, image } = this.prepared;
    this.report({ kind: "step", name: "merging", index: 0, total: 1 });
    this.store.begin();
    this.#keepLayers();
    const layers = layout.derived.map(({ index, digest }) => ({ digest, commit: this.#commits.get(index)! }));
    const root = mergeImage(this.store, { base, layers });
    const commit = newCommit({
      parent: base,
      timestampSeconds: this.#timestamp(image),
      rootTree: root.tree,
      rootMeta: root.meta,
      metadata: imageMetadata(image, VERSION),
    });
    const checksum = this.store.metadata("commit", encodeCommit(commit)).toHex();
    if (storedAs) this.store.setRef(imageRef(storedAs), checksum);
    await this.store.commit();
    this.report({ kind: "step-done" });
    return { ...image, commit: checksum, base };
  }

  /**
   * Between our transactions another process may have forgotten layers that no image had yet, and pruned. In this one nothing is pruned:
   * what is whole now stays so.
   * @throws {UserError} when objects are gone
   */
  #keepLayers(): void {
    for (const { index, ref } of this.prepared.layout.layers) {
      const commit = this.#commits.get(index)!;
      if (this.pull.repo.resolve(ref) === commit) continue;
      requireComplete(this.store, commit);
      this.store.setRef(ref, commit);
    }
  }

  #timestamp(image: ImageDescription): number {
    const created = image.config && imageTimestamp(image.manifest, image.config);
    return Math.max(0, Math.floor((created ?? this.pull.ctx.now()).getTime() / 1000));
  }
}

/** Says which layer it was. */
function inLayer<T>(layer: ImageLayer, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new UserError(`Layer "${layer.digest}"`, {
      cause,
      hint: cause instanceof UserError ? cause.hint : undefined,
    });
  }
}
