/** Finding the layers of an image among what a repository holds. */
import type { ImageConfig } from "../oci/config.ts";
import type { Commit } from "../ostree/commit.ts";
import { GlibError } from "../ostree/glib.ts";
import type { Repo } from "../ostree/repo.ts";
import { UserError } from "../sys/errors.ts";
import { servesAs, verifiedDiffId } from "./layer_commit.ts";
import type { ImageLayer } from "./layout.ts";
import type { StoredLayers } from "./plan.ts";
import { LAYER_PREFIX } from "./refs.ts";

/** The label with the checksum of an image's ostree commit. */
const COMMIT_LABEL = "ostree.commit";

/**
 * The layers under a repository's refs. What an image says of a diff_id counts only where it was verified (trap T20): our commits of layers
 * carry it; that of an ostree commit is not ours to add to, and is found by the label that names it.
 */
export class RepositoryLayers implements StoredLayers {
  #byDiffId: Map<string, string> | undefined;
  #commits = new Set<string>();

  constructor(readonly repo: Repo, readonly config: ImageConfig) {}

  byRef(layer: ImageLayer): string | undefined {
    const commit = this.repo.resolve(layer.ref);
    const stored = commit === undefined ? undefined : this.#load(commit);
    if (!stored || !servesAs(stored, layer.kind)) return undefined;
    const diffId = verifiedDiffId(stored);
    if (diffId === undefined || diffId === layer.diffId) return commit;
    throw new UserError(
      `Layer "${layer.digest}" has the diff_id ${diffId}; the image's config says ${layer.diffId}`,
      { hint: "The image is damaged; build or push it again" },
    );
  }

  byDiffId({ diffId, kind }: ImageLayer): string | undefined {
    this.#byDiffId ??= this.#collect();
    if (kind !== "commit") {
      const commit = this.#byDiffId.get(diffId);
      return commit !== undefined && servesAs(this.repo.loadCommit(commit), kind) ? commit : undefined;
    }
    const commit = this.config.labels[COMMIT_LABEL];
    return commit !== undefined && this.#commits.has(commit) ? commit : undefined;
  }

  /** Once, and only when a layer is not found by its digest. */
  #collect(): Map<string, string> {
    const found = new Map<string, string>();
    for (const commit of this.repo.listRefs(LAYER_PREFIX).values()) {
      const stored = this.#load(commit);
      const diffId = stored && verifiedDiffId(stored);
      if (diffId !== undefined) found.set(diffId, commit);
      else if (stored && servesAs(stored, "commit")) this.#commits.add(commit);
    }
    return found;
  }

  /** A ref whose commit is gone is no stored layer: it is fetched again. */
  #load(commit: string): Commit | undefined {
    try {
      return this.repo.loadCommit(commit);
    } catch (error) {
      if (error instanceof GlibError && error.notFound) return undefined;
      throw error;
    }
  }
}
