/** What changes between two images, in layers: an upgrade's and `container compare`'s three lines. */
import type { Descriptor, Manifest } from "./manifest.ts";
import { formatSize } from "./size.ts";

/** Layers and their compressed bytes. */
export interface LayerSum {
  readonly layers: number;
  readonly bytes: number;
}

/** The layers of two manifests by digest; a layer that an image uses twice counts once. */
export interface LayerDifference {
  /** All layers of the new image. */
  readonly total: LayerSum;
  /** Layers of the old image that the new one has no more. */
  readonly removed: LayerSum;
  /** Layers of the new image that the old one has not. */
  readonly added: LayerSum;
}

/** Compares the layers of an old and a new manifest. */
export function compareLayers(from: Manifest, to: Manifest): LayerDifference {
  const old = byDigest(from.layers);
  const now = byDigest(to.layers);
  return {
    total: sum([...now.values()]),
    removed: sum([...old.values()].filter((layer) => !now.has(layer.digest))),
    added: sum([...now.values()].filter((layer) => !old.has(layer.digest))),
  };
}

/** Three lines without a final newline, columns as the reference prints them. */
export function formatLayerDifference(difference: LayerDifference): string {
  const line = (title: string, part: LayerSum) =>
    `${title.padEnd(17)} ${String(part.layers).padEnd(4)}  Size: ${formatSize(part.bytes)}`;
  return [
    line("Total new layers:", difference.total),
    line("Removed layers:", difference.removed),
    line("Added layers:", difference.added),
  ].join("\n");
}

function byDigest(layers: readonly Descriptor[]): Map<string, Descriptor> {
  return new Map(layers.map((layer) => [layer.digest, layer]));
}

function sum(layers: readonly Descriptor[]): LayerSum {
  return { layers: layers.length, bytes: layers.reduce((bytes, layer) => bytes + layer.size, 0) };
}
