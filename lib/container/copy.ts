/** Copying a stored image from one repository to another, layers and all. */
import { formatImageReference, type ImageReference } from "../oci/reference.ts";
import type { Repo } from "../ostree/repo.ts";
import { UserError } from "../sys/errors.ts";
import { requireImage } from "./images.ts";
import { imageRef, layerRef } from "./refs.ts";

/**
 * Copies an image and its layers, so that the other repository pulls its next version as this one would. Commit point: the image's ref,
 * set last; before it there are objects, and refs of layers, that a prune removes.
 * @throws {UserError} when the image or one of its layers is not stored
 */
export async function copyImage(
  from: Repo,
  to: Repo,
  image: ImageReference,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const { commit, manifest } = requireImage(from, image);
  const layers = new Map<string, string>();
  for (const { digest } of manifest.layers) {
    const layer = from.resolve(layerRef(digest));
    if (layer === undefined) {
      throw new UserError(
        `Layer "${digest}" of "${formatImageReference(image)}" is not in the repository "${from.path}"`,
        {
          hint: "Pull the image again",
        },
      );
    }
    layers.set(layerRef(digest), layer);
  }
  await to.pullLocal(from, [...new Set([...layers.values(), commit])], options);
  for (const [ref, layer] of layers) to.setRef(ref, layer);
  to.setRef(imageRef(image), commit);
}
