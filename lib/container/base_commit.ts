/** What is asked of an image's ostree commit before anything is derived from it. */
import { decodeCommit } from "../ostree/commit.ts";
import { walkDirtree } from "../ostree/dirtree.ts";
import { readFileObject } from "../ostree/file_object.ts";
import type { ObjectStore } from "../ostree/store.ts";
import { type TreeRef, Trees } from "../ostree/tree.ts";
import { UserError } from "../sys/errors.ts";
import { type FilterRules, VAR_PATHS } from "./path_filter.ts";
import { parsePrepareRoot, PREPARE_ROOT } from "./prepare_root.ts";

/** Deeper than any path can be; a hostile tree must not end in a stack overflow. */
const DEPTH_LIMIT = 2048;
const CONFIG_MAX_BYTES = 1 << 20;

/**
 * Makes sure that every object of a commit is there, so that a ref on it means a whole tree.
 * @throws {UserError} naming the first object that is missing
 */
export function requireComplete(store: ObjectStore, commit: string): void {
  const { rootTree, rootMeta } = decodeCommit(store.read("commit", commit));
  const seen = new Set<string>();
  const missing = (type: string, checksum: string) =>
    new UserError(`The image lacks the ${type} object ${checksum} of its commit ${commit}`, {
      hint: "The image is damaged; build or push it again",
    });
  const requireMeta = (checksum: string) => {
    if (seen.has(checksum)) return;
    if (!store.has("dirmeta", checksum)) throw missing("dirmeta", checksum);
    seen.add(checksum);
  };
  const visit = (checksum: string, depth: number) => {
    if (seen.has(checksum)) return;
    if (depth > DEPTH_LIMIT) {
      throw new UserError(`The commit ${commit} has more than ${DEPTH_LIMIT} levels of directories`);
    }
    if (!store.has("dirtree", checksum)) throw missing("dirtree", checksum);
    seen.add(checksum);
    const children: string[] = [];
    walkDirtree(store.read("dirtree", checksum), {
      file: (bytes, _start, _end, at) => {
        if (!store.hasFileAt(bytes, at)) throw missing("file", bytes.subarray(at, at + 32).toHex());
      },
      directory: (bytes, _start, _end, at) => {
        requireMeta(bytes.subarray(at + 32, at + 64).toHex());
        children.push(bytes.subarray(at, at + 32).toHex());
      },
    });
    for (const child of children) visit(child, depth + 1);
  };
  requireMeta(rootMeta);
  visit(rootTree, 0);
}

/** How derived layers are filtered: everything is kept without a base, or where the base has a transient or composefs root. */
export function filterRules(
  store: ObjectStore,
  base: string | undefined,
  libostree: { readonly keepsVar: boolean },
): FilterRules {
  const varPath = libostree.keepsVar ? VAR_PATHS.kept : VAR_PATHS.factory;
  if (base === undefined) return { keepAll: true, varPath, policy: "" };
  const commit = decodeCommit(store.read("commit", base));
  const trees = new Trees(store);
  const root = trees.root(commit.rootTree, commit.rootMeta);
  const policy = selinuxTree(trees, root) ?? "";
  const found = trees.find(root, PREPARE_ROOT);
  const text = found?.kind === "file"
    ? readFileObject(store.repo, trees.arena.hex(found.checksum), CONFIG_MAX_BYTES)
    : undefined;
  if (text === undefined) return { keepAll: false, varPath, policy };
  const { transient, composefs } = parsePrepareRoot(new TextDecoder().decode(text));
  return { keepAll: transient || composefs, varPath, policy };
}

/** The dirtree of the policy that a tree brings along: another one may label otherwise. */
function selinuxTree(trees: Trees, root: TreeRef): string | undefined {
  const found = trees.find(root, "usr/etc/selinux");
  if (found?.kind !== "directory" || found.directory.tree === undefined) return undefined;
  return trees.arena.hex(found.directory.tree);
}
