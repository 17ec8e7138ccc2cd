/** Forgetting layers that no image, deployment or pinned base needs; the objects themselves go with libostree's prune. */
import { type Digest, parseDigest } from "../oci/digest.ts";
import { unescapeRef } from "../ostree/refescape.ts";
import type { Repo } from "../ostree/repo.ts";
import { imageOfCommit } from "./images.ts";
import { BASE_IMAGE_PREFIX, IMAGE_PREFIX, LAYER_PREFIX } from "./refs.ts";

/** Refs whose commits keep their layers: images, deployments (also those waiting to boot), bases that rpm-ostree or others pin. */
const ROOTS = [IMAGE_PREFIX, BASE_IMAGE_PREFIX, "ostree/0", "ostree/1", "rpmostree/base"];

/** Layers that some root's manifest names. */
function neededLayers(repo: Repo): Set<Digest> {
  const needed = new Set<Digest>();
  for (const prefix of ROOTS) {
    for (const commit of repo.listRefs(prefix).values()) {
      const image = imageOfCommit(commit, repo.loadCommit(commit));
      for (const { digest } of image?.manifest.layers ?? []) needed.add(digest);
    }
  }
  return needed;
}

/**
 * Removes the refs of layers that nothing needs; gives their number. Safe to repeat and to interrupt; an interrupted pull's finished
 * layers go too, so it is called only after a pull or when a person asks.
 */
export function pruneLayers(repo: Repo): number {
  const needed = neededLayers(repo);
  let removed = 0;
  for (const ref of repo.listRefs(LAYER_PREFIX).keys()) {
    let digest: Digest;
    try {
      digest = parseDigest(unescapeRef(ref.slice(LAYER_PREFIX.length + 1)));
    } catch (error) {
      if (error instanceof SyntaxError) continue; // not one of ours
      throw error;
    }
    if (needed.has(digest)) continue;
    repo.setRef(ref, null);
    removed++;
  }
  return removed;
}
