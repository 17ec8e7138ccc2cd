/** The refs that we own in a repository (formats: ostree-ext `container/store.rs`). */
import type { Digest } from "../oci/digest.ts";
import { formatImageReference, type ImageReference, parseImageReference } from "../oci/reference.ts";
import { escapeRef, unescapeRef } from "../ostree/refescape.ts";

/** Layers, by the digest of their blob. */
export const LAYER_PREFIX = "ostree/container/blob";
/** Images, by the reference they were pulled from. */
export const IMAGE_PREFIX = "ostree/container/image";
/** Bases that other tools pin. */
export const BASE_IMAGE_PREFIX = "ostree/container/baseimage";

/** The ref of a layer's commit. */
export function layerRef(digest: Digest): string {
  return `${LAYER_PREFIX}/${escapeRef(digest)}`;
}

/** The ref of an image's merge commit. */
export function imageRef(image: ImageReference): string {
  return `${IMAGE_PREFIX}/${escapeRef(formatImageReference(image))}`;
}

/** The image whose ref this is. @throws {SyntaxError} when it is none of ours */
export function imageOfRef(ref: string): ImageReference {
  if (!ref.startsWith(`${IMAGE_PREFIX}/`)) throw new SyntaxError(`"${ref}" is no ref of an image`);
  return parseImageReference(unescapeRef(ref.slice(IMAGE_PREFIX.length + 1)));
}
