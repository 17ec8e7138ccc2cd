/**
 * Lays derived layers over each other at the level of dirtrees: only touched directories are read and written, whatever the image's size.
 *
 * Rules (OCI image specification 1.1, layer.md; traps T29 and T30): a whiteout removes what earlier layers have under its name, an opaque
 * mark all of them in its directory; a file replaces a directory; a directory that an entry names replaces a file or symlink, and its
 * metadata wins; one that is only implied keeps the metadata below it and never replaces anything.
 */
import { displayPath } from "../ostree/objects.ts";
import { type TreeRef, Trees } from "../ostree/tree.ts";
import { UserError } from "../sys/errors.ts";
import type { StoredLayer } from "./layer_commit.ts";

const OPAQUE = ".wh..wh..opq";
const WHITEOUT = ".wh.";

/** Applies one layer after another to a tree. */
export class LayerMerge {
  #named: ReadonlySet<string> | undefined;
  #whiteouts = true;

  constructor(readonly trees: Trees, readonly root: TreeRef) {}

  /**
   * Lays a layer over the tree.
   * @throws {UserError} when the layer puts something below a file or symlink, or links to what is not there
   */
  apply(layer: StoredLayer): void {
    const { facts } = layer;
    this.#named = facts && new Set(facts.named);
    this.#whiteouts = facts?.whiteouts ?? true;
    const targets = (facts?.links ?? []).map(([path, target]) => [path, this.#target(path, target)] as const);
    this.#lay(this.root, this.trees.root(layer.tree, layer.meta), "");
    for (const [path, checksum] of targets) this.#link(path, checksum);
  }

  /** A hardlink means what the earlier layers have, before this one removes any of it. */
  #target(path: string, target: string): number {
    const found = this.trees.find(this.root, target);
    if (found?.kind === "file") return found.checksum;
    const why = found ? "is a directory" : "no layer has";
    throw new UserError(`Hardlink "${displayPath(path)}" leads to "${displayPath(target)}", which ${why}`, {
      hint: "The layer is damaged; build the image again",
    });
  }

  #link(path: string, checksum: number): void {
    let directory = this.root;
    const names = path.split("/");
    const leaf = names.pop()!;
    for (const name of names) {
      const child = this.trees.change(directory).directories.get(name);
      if (!child) throw new Error(`The directory of hardlink "${displayPath(path)}" is not in its layer`);
      directory = child;
    }
    const node = this.trees.change(directory);
    node.directories.delete(leaf);
    node.files.set(leaf, checksum);
  }

  #lay(lower: TreeRef, upper: TreeRef, path: string): void {
    if (path !== "" && (this.#named?.has(path) ?? false)) lower.meta = upper.meta;
    const { arena } = this.trees;
    if (lower.tree !== undefined && upper.tree !== undefined && arena.equal(lower.tree, upper.tree)) return;
    const source = this.trees.entries(upper);
    if (source.files.size === 0 && source.directories.size === 0) return;
    const target = this.trees.change(lower);
    if (source.files.has(OPAQUE)) {
      target.files.clear();
      target.directories.clear();
    }
    for (const name of source.files.keys()) {
      if (!name.startsWith(WHITEOUT) || name === OPAQUE) continue;
      target.files.delete(name.slice(WHITEOUT.length));
      target.directories.delete(name.slice(WHITEOUT.length));
    }
    for (const [name, checksum] of source.files) {
      if (name.startsWith(WHITEOUT)) continue;
      target.directories.delete(name);
      target.files.set(name, checksum);
    }
    for (const [name, child] of source.directories) {
      const childPath = path === "" ? name : `${path}/${name}`;
      const below = target.directories.get(name);
      if (below) {
        this.#lay(below, child, childPath);
        continue;
      }
      if (target.files.has(name)) {
        this.#requireNamed(childPath);
        target.files.delete(name);
      }
      target.directories.set(name, this.#withoutWhiteouts(child));
    }
  }

  #requireNamed(path: string): void {
    if (!this.#named || this.#named.has(path)) return;
    throw new UserError(
      `The layer has entries below "${displayPath(path)}", which is a file or symlink in an earlier layer`,
      {
        hint: "Write to the real directory instead, or remove the symlink in the same layer",
      },
    );
  }

  /** A new directory as it is without the marks in it; the same where there are none. */
  #withoutWhiteouts(ref: TreeRef): TreeRef {
    if (!this.#whiteouts) return ref;
    const node = this.trees.entries(ref);
    let changed = false;
    const out = this.trees.empty(ref.meta);
    const kept = out.node!;
    for (const [name, checksum] of node.files) {
      if (name.startsWith(WHITEOUT)) changed = true;
      else kept.files.set(name, checksum);
    }
    for (const [name, child] of node.directories) {
      const clean = this.#withoutWhiteouts(child);
      if (clean !== child) changed = true;
      kept.directories.set(name, clean);
    }
    return changed ? out : ref;
  }
}
