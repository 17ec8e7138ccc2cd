/** Importing the ostree commit that an image carries, as it is: no merge commit, no refs of layers (row C2). */
import { UserError } from "../sys/errors.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { requireComplete } from "./base_commit.ts";
import { LayerFetch } from "./layer_fetch.ts";
import type { ImageLayout } from "./layout.ts";
import { NativeLayer } from "./native_layer.ts";
import { plannedLayers } from "./plan.ts";
import type { ImagePull, PreparedPull } from "./pull.ts";

/** How a commit is imported. */
export interface UnencapsulateOptions {
  /** The ostree ref that is to point at the commit. */
  readonly writeRef?: string | undefined;
  readonly report?: ReportProgress;
}

/**
 * Imports the commit of an open image; gives its checksum, which is the original's. Layers that are stored already are not fetched. Commit
 * point: one transaction with all layers and the ref; without a ref the next prune removes the commit.
 * @throws {UserError} when the image holds no commit, or layers beside it, or something is damaged
 * @throws {Interrupted}
 */
export async function unencapsulate(pull: ImagePull, options: UnencapsulateOptions = {}): Promise<string> {
  const prepared = await pull.prepare();
  requireNative(prepared.layout);
  return await pull.write(prepared.plan, async (store) => {
    const { report = () => {}, writeRef } = options;
    const { fetch, sources } = prepared.plan;
    report({ kind: "plan", layers: plannedLayers(prepared.plan) });
    using reader = new LayerFetch(pull.ctx, pull.opened, { isal: pull.options.isal !== false, report });
    let commit = storedCommit(prepared);
    let commitMetadata: NativeLayer["commitMetadata"];
    store.begin();
    for (const [i, layer] of fetch.entries()) {
      const sink = new NativeLayer(store, { listFiles: false });
      await reader.read(layer, fetch[i + 1], sink);
      if (layer.kind === "commit") {
        commit = sink.requireCommit(layer.digest);
        commitMetadata = sink.commitMetadata;
      }
      report({ kind: "layer-done", index: layer.index });
    }
    if (commit === undefined) throw new Error(`None of ${sources.length} layers brought the commit`);
    requireComplete(store, commit);
    if (commitMetadata) pull.repo.writeDetachedMetadata(commit, commitMetadata);
    if (writeRef !== undefined) store.setRef(writeRef, commit);
    await store.commit();
    return commit;
  });
}

function storedCommit({ layout, plan }: PreparedPull): string | undefined {
  const source = plan.sources.find(({ layer }) => layer === layout.commit);
  return source?.kind === "stored" || source?.kind === "same-content" ? source.commit : undefined;
}

function requireNative({ commit, derived }: ImageLayout): void {
  if (commit === undefined) {
    throw new UserError("Image holds no ostree commit: it has no label ostree.final-diffid", {
      hint: "Use `ostree container image pull` for an ordinary image",
    });
  }
  if (derived.length === 0) return;
  throw new UserError(`Image has ${derived.length} non-ostree layers`, {
    hint: "Use `ostree container image pull` for an image with layers of its own",
  });
}
