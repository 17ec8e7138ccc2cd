/** Forgetting stored images; their layers and objects go by `gc.ts` and by libostree's prune. */
import { formatImageReference, type ImageReference } from "../oci/reference.ts";
import type { Repo } from "../ostree/repo.ts";
import { UserError } from "../sys/errors.ts";
import { listImages } from "./images.ts";
import { pruneLayers } from "./gc.ts";
import { imageRef } from "./refs.ts";

/**
 * Removes images' refs: all of them, or none where one is missing. Commit point: each ref by itself, in the order given.
 * @throws {UserError} `Missing images: ...`
 */
export function removeImages(repo: Repo, images: readonly ImageReference[]): void {
  const missing = images.filter((image) => repo.resolve(imageRef(image)) === undefined);
  if (missing.length > 0) {
    throw new UserError(`Missing images: ${missing.map(formatImageReference).join(", ")}`, {
      hint: "Nothing was removed; see `ostree container image list`",
    });
  }
  for (const ref of new Set(images.map(imageRef))) repo.setRef(ref, null);
}

/** Removes the refs of all images but these; gives what was removed, in the order of the refs. Safe to repeat. */
export function removeOtherImages(repo: Repo, kept: readonly ImageReference[]): ImageReference[] {
  const keptRefs = new Set(kept.map(imageRef));
  const removed = listImages(repo).map(({ image }) => image).filter((image) => !keptRefs.has(imageRef(image)));
  for (const image of removed) repo.setRef(imageRef(image), null);
  return removed;
}

/** What {@linkcode pruneAll} removed. */
export interface Pruned {
  readonly images: number;
  readonly layers: number;
  readonly objects: number;
  /** Of the objects. */
  readonly bytes: number;
}

/** Removes all images but these, the layers that none needs then, and the objects that no ref needs. Safe to repeat and to interrupt. */
export async function pruneAll(
  repo: Repo,
  kept: readonly ImageReference[],
  options: { signal?: AbortSignal } = {},
): Promise<Pruned> {
  const images = removeOtherImages(repo, kept).length;
  const layers = pruneLayers(repo);
  const { objectsPruned, freedBytes } = await repo.prune({ depth: 0, ...options });
  return { images, layers, objects: objectsPruned, bytes: freedBytes };
}
