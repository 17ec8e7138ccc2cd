/** The tree of an image: its ostree commit's, or nothing, and its derived layers on it. */
import { isEmptyFile, readFileObject } from "../ostree/file_object.ts";
import { displayPath } from "../ostree/objects.ts";
import { policyLabeler, relabelTree, type TreeChecksums } from "../ostree/relabel.ts";
import { SePolicy } from "../ostree/sepolicy.ts";
import type { ObjectStore } from "../ostree/store.ts";
import { type TreeRef, Trees } from "../ostree/tree.ts";
import { UserError } from "../sys/errors.ts";
import { storedLayer } from "./layer_commit.ts";
import { LayerMerge } from "./merge.ts";

/** Container engines leave these in a layer as empty files; the host makes its own. */
const INJECTED = ["usr/etc/hostname", "usr/etc/resolv.conf"];
const POLICY = "usr/etc/selinux";
const POLICY_MAX_BYTES = 64 << 20;

/** What an image is merged of. */
export interface MergeParts {
  /** Checksum of its ostree commit; undefined where it has none. */
  readonly base: string | undefined;
  /** Blob and commit of each derived layer, lowest first; at least one without a base. */
  readonly layers: readonly { readonly digest: string; readonly commit: string }[];
}

/**
 * Merges an image's tree in the open transaction.
 * @throws {UserError} naming the layer that cannot be laid over those below it
 */
export function mergeImage(store: ObjectStore, { base, layers }: MergeParts): TreeChecksums {
  const trees = new Trees(store);
  const stored = layers.map(({ commit }) => storedLayer(store.repo.loadCommit(commit)));
  const bottom = base === undefined ? undefined : store.repo.loadCommit(base);
  const root = bottom
    ? trees.root(bottom.rootTree, bottom.rootMeta)
    : trees.empty(trees.root(stored[0]!.tree, stored[0]!.meta).meta);
  const merge = new LayerMerge(trees, root);
  for (const [i, layer] of stored.entries()) {
    try {
      merge.apply(layer);
    } catch (cause) {
      const hint = cause instanceof UserError ? cause.hint : undefined;
      throw new UserError(`Layer "${layers[i]!.digest}"`, { cause, hint });
    }
  }
  if (layers.length > 0) dropInjected(trees, root);
  const merged = { tree: trees.arena.hex(trees.write(root)), meta: trees.arena.hex(root.meta) };
  return base === undefined ? relabelled(trees, root, merged) : merged;
}

/** Whoever left them: the reference removes them from the merged tree, too. */
function dropInjected(trees: Trees, root: TreeRef): void {
  for (const path of INJECTED) {
    const found = trees.find(root, path);
    if (found?.kind !== "file" || !isEmptyFile(trees.store.repo, trees.arena.hex(found.checksum))) continue;
    let directory = root;
    const names = path.split("/");
    const leaf = names.pop()!;
    for (const name of names) directory = trees.change(directory).directories.get(name)!;
    trees.change(directory).files.delete(leaf);
  }
}

/** Without a base (row C7) only the merged tree knows its policy: every object is looked at, and written again where its label differs. */
function relabelled(trees: Trees, root: TreeRef, merged: TreeChecksums): TreeChecksums {
  const selinux = trees.find(root, POLICY);
  if (selinux?.kind !== "directory") return merged;
  const directory = Deno.makeTempDirSync({ prefix: "bootc-selinux-" });
  try {
    Deno.mkdirSync(`${directory}/${POLICY}`, { recursive: true });
    writeFiles(trees, selinux.directory, `${directory}/${POLICY}`);
    using policy = SePolicy.fromDirectory(directory);
    return policy ? relabelTree(trees.store, merged, policyLabeler(policy)) : merged;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function writeFiles(trees: Trees, from: TreeRef, to: string): void {
  const { files, directories } = trees.entries(from);
  for (const [name, checksum] of files) {
    const content = readFileObject(trees.store.repo, trees.arena.hex(checksum), POLICY_MAX_BYTES);
    if (content) Deno.writeFileSync(`${to}/${displayPath(name)}`, content); // a symlink would lead out of the tree
  }
  for (const [name, directory] of directories) {
    Deno.mkdirSync(`${to}/${displayPath(name)}`);
    writeFiles(trees, directory, `${to}/${displayPath(name)}`);
  }
}
