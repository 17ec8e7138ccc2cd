/** Forgetting layers that no image, deployment or pinned base needs; the objects themselves go with libostree's prune. */
import { type Digest, parseDigest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { GlibError } from "../ostree/glib.ts";
import { unescapeRef } from "../ostree/refescape.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import type { Repo } from "../ostree/repo.ts";
import { imageOfCommit } from "./images.ts";
import { BASE_IMAGE_PREFIX, IMAGE_PREFIX, LAYER_PREFIX } from "./refs.ts";

/** Refs whose commits keep their layers: images, deployments (also those waiting to boot), bases that rpm-ostree or others pin. */
const ROOTS = [IMAGE_PREFIX, BASE_IMAGE_PREFIX, "ostree/0", "ostree/1", "rpmostree/base"];

/** Layers that some root's manifest names. @throws {UserError} when a root cannot be read: what it needs is not known then */
function neededLayers(repo: Repo): Set<Digest> {
  const needed = new Set<Digest>();
  for (const prefix of ROOTS) {
    for (const [ref, commit] of repo.listRefs(prefix)) {
      for (const { digest } of layersOf(repo, ref, commit)) needed.add(digest);
    }
  }
  return needed;
}

function layersOf(repo: Repo, ref: string, commit: string): readonly Descriptor[] {
  try {
    return imageOfCommit(commit, repo.loadCommit(commit))?.manifest.layers ?? [];
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof RangeError || cause instanceof GlibError)) throw cause;
    throw new UserError(`Cannot read the commit "${commit}" of ref "${ref}"`, {
      cause,
      hint: "See what is damaged with `ostree fsck`",
    });
  }
}

/** The same after other work, which must not fail because of an old commit: where one is damaged all layers stay, and a note says so. */
export function tidyLayers(ctx: Context, repo: Repo): void {
  try {
    pruneLayers(repo);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    ctx.note(`warning: No layer is removed: ${error.message}`);
  }
}

/**
 * Removes the refs of layers that nothing needs; gives their number. Safe to repeat and to interrupt; an interrupted pull's finished
 * layers go too, so it is called only after a pull or when a person asks.
 * @throws {UserError} when it cannot be known what is needed
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
