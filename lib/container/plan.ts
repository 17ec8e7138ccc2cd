/** What a pull has to fetch: decided from the image's layers and from what is stored, before a blob is asked for. */
import type { Digest } from "../oci/digest.ts";
import { formatSize } from "../oci/size.ts";
import type { PlannedLayer } from "../sys/progress.ts";
import { UserError } from "../sys/errors.ts";
import type { ImageLayer, ImageLayout } from "./layout.ts";

/** A layer and where it comes from. */
export type LayerSource =
  | { readonly kind: "fetch"; readonly layer: ImageLayer }
  /** Stored under its own digest. */
  | { readonly kind: "stored"; readonly layer: ImageLayer; readonly commit: string }
  /** The same content is stored under another digest (compressed otherwise). */
  | { readonly kind: "same-content"; readonly layer: ImageLayer; readonly commit: string }
  /** The image names the same blob twice. */
  | { readonly kind: "repeated"; readonly layer: ImageLayer };

/** What is stored already. */
export interface StoredLayers {
  /** The commit under a layer's ref, where it can serve as this layer. @throws {UserError} when its diff_id is another one */
  byRef(layer: ImageLayer): string | undefined;
  /** The commit of a layer with these inflated bytes and of the same kind. */
  byDiffId(layer: ImageLayer): string | undefined;
}

/** The decision. */
export interface PullPlan {
  /** One for each layer, in the order of the manifest. */
  readonly sources: readonly LayerSource[];
  /** What is fetched, in the order of fetching: chunks, the commit that needs them, then the derived layers. */
  readonly fetch: readonly ImageLayer[];
  readonly fetchBytes: number;
}

/** Decides where each layer comes from. */
export function planPull(layout: ImageLayout, stored: StoredLayers): PullPlan {
  const seen = new Set<Digest>();
  const sources = layout.layers.map((layer): LayerSource => {
    if (seen.has(layer.digest)) return { kind: "repeated", layer };
    seen.add(layer.digest);
    const own = stored.byRef(layer);
    if (own !== undefined) return { kind: "stored", layer, commit: own };
    const same = stored.byDiffId(layer);
    if (same !== undefined) return { kind: "same-content", layer, commit: same };
    return { kind: "fetch", layer };
  });
  const wanted = sources.filter(({ kind }) => kind === "fetch").map(({ layer }) => layer);
  const order = { chunk: 0, commit: 1, derived: 2 };
  const fetch = wanted.toSorted((a, b) => order[a.kind] - order[b.kind]);
  return { sources, fetch, fetchBytes: fetch.reduce((sum, { size }) => sum + size, 0) };
}

/** The line that a pull begins with. */
export function describePlan(plan: PullPlan): string {
  const present = plan.sources.length - plan.fetch.length;
  const size = plan.fetch.length > 0 ? ` (${formatSize(plan.fetchBytes)})` : "";
  return `layers already present: ${present}; layers needed: ${plan.fetch.length}${size}`;
}

/** The plan as progress shows it. */
export function plannedLayers(plan: PullPlan): PlannedLayer[] {
  return plan.sources.map(({ kind, layer }) => ({
    digest: layer.digest,
    sizeBytes: layer.size,
    present: kind !== "fetch",
  }));
}

/**
 * Refuses before anything is fetched what cannot fit: the blobs' sizes are the least that their content takes.
 * @throws {UserError}
 */
export function requireSpace(
  plan: PullPlan,
  space: { image: string; availableBytes: number; reservedBytes: number },
): void {
  const usable = Math.max(0, space.availableBytes - space.reservedBytes);
  if (plan.fetchBytes <= usable) return;
  throw new UserError(
    `Insufficient free space for ${space.image} (available: ${formatSize(usable)} required: ${
      formatSize(plan.fetchBytes)
    })`,
    { hint: "Remove images or deployments that are no longer needed, or enlarge the file system" },
  );
}
