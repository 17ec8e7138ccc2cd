/**
 * Which part of an image is an ostree commit and which was derived from it.
 *
 * The label `ostree.final-diffid` names the last layer of the ostree part: its first layer carries the commit, the others chunks of its
 * content (formats: ostree-ext `container/encapsulate.rs`). An image without the label is derived layers alone.
 */
import { type Compression, compressionOf } from "../codec/inflate.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { UserError } from "../sys/errors.ts";
import { layerRef } from "./refs.ts";

/** The label with the diff_id of the ostree part's last layer. */
export const FINAL_DIFFID_LABEL = "ostree.final-diffid";

/** What a layer brings: the commit's own objects, more objects of it, or a file system tree. */
export type LayerKind = "commit" | "chunk" | "derived";

/** One layer of an image. */
export interface ImageLayer {
  /** Position in the manifest. */
  readonly index: number;
  readonly kind: LayerKind;
  /** Of the blob, as it is compressed. */
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  /** Of the tar inside. */
  readonly diffId: Digest;
  readonly compression: Compression;
  /** Where its commit is kept. */
  readonly ref: string;
}

/** An image's layers. */
export interface ImageLayout {
  /** In the order of the manifest. */
  readonly layers: readonly ImageLayer[];
  /** The layer with the ostree commit; undefined where the image has none. */
  readonly commit: ImageLayer | undefined;
  readonly chunks: readonly ImageLayer[];
  readonly derived: readonly ImageLayer[];
}

/**
 * Sorts an image's layers by what they bring.
 * @throws {UserError} when manifest and config do not fit together, or a layer is of no known kind
 */
export function imageLayout(manifest: Manifest, config: ImageConfig): ImageLayout {
  if (manifest.layers.length !== config.diffIds.length) {
    throw new UserError(
      `Manifest and config do not fit: ${manifest.layers.length} layers and ${config.diffIds.length} diff_ids`,
      { hint: "The image is damaged; build or push it again" },
    );
  }
  if (manifest.layers.length === 0) throw new UserError("The image has no layers");
  const finalDiffId = config.labels[FINAL_DIFFID_LABEL];
  const last = finalDiffId === undefined ? -1 : config.diffIds.lastIndexOf(finalDiffId as Digest);
  if (finalDiffId !== undefined && last < 0) {
    throw new UserError(`No layer has the diff_id "${finalDiffId}" that label ${FINAL_DIFFID_LABEL} names`, {
      hint: "The image was squashed or its labels were copied; build it again from its base, or remove the label",
    });
  }
  const layers = manifest.layers.map((descriptor, index): ImageLayer => ({
    index,
    kind: index > last ? "derived" : index === 0 ? "commit" : "chunk",
    digest: descriptor.digest,
    size: descriptor.size,
    diffId: config.diffIds[index]!,
    compression: compressionOf(descriptor.mediaType),
    ref: layerRef(descriptor.digest),
  }));
  requireOneMeaning(layers);
  const only = (kind: LayerKind) => layers.filter((layer) => layer.kind === kind);
  return { layers, commit: only("commit")[0], chunks: only("chunk"), derived: only("derived") };
}

/** A blob that the image names twice must be the same thing each time. */
function requireOneMeaning(layers: readonly ImageLayer[]): void {
  const first = new Map<Digest, ImageLayer>();
  for (const layer of layers) {
    const other = first.get(layer.digest);
    if (!other) first.set(layer.digest, layer);
    else if (other.diffId !== layer.diffId || other.size !== layer.size || other.kind !== layer.kind) {
      throw new UserError(
        `Layers ${other.index} and ${layer.index} are the same blob "${layer.digest}" with another diff_id, size or meaning`,
        { hint: "The image is damaged; build or push it again" },
      );
    }
  }
}
