/** What layers mean, as simply as it can be said (OCI image specification 1.1, layer.md; traps T29 and T30): the judge of random images. */
import type { Random } from "../codec/random.ts";
import { dir, file, hardlink, link, type Meta, type Node, whiteout } from "../image.ts";

/** A file or symlink as `ostree ls` shows it. */
interface ModelFile {
  readonly kind: "file";
  readonly shown: string;
}

interface ModelDirectory {
  readonly kind: "directory";
  shown: string;
  /** An entry names it, so that its metadata counts. */
  named: boolean;
  opaque: boolean;
  readonly whiteouts: Set<string>;
  readonly entries: Map<string, ModelEntry>;
}

type ModelEntry = ModelFile | ModelDirectory;

/** A layer that cannot be laid over what is below. */
export class Refused extends Error {}

function newDirectory(shown = "d00755 0 0"): ModelDirectory {
  return { kind: "directory", shown, named: false, opaque: false, whiteouts: new Set(), entries: new Map() };
}

/** An image in the making: layers of random entries, and the tree that they come to. */
export class RandomImage {
  readonly layers: (readonly [string, Node])[][] = [];
  #root = newDirectory();
  #size = 0;

  constructor(readonly random: Random) {}

  #pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)]!;
  }

  #meta(): Meta & { mode: number } {
    return { mode: this.#pick([0o755, 0o700, 0o2750, 0o644]), uid: this.random.below(2), gid: this.random.below(3) };
  }

  /** Adds a layer. @throws {Refused} when it cannot be laid over the others: the layer is added nevertheless */
  addLayer(): void {
    const layer = newDirectory();
    const entries: (readonly [string, Node])[] = [];
    this.layers.push(entries);
    for (let count = 2 + this.random.below(12); count > 0; count--) {
      const entry = this.#entry(layer);
      if (entry) entries.push(entry);
    }
    lay(this.#root, layer);
  }

  #entry(layer: ModelDirectory): readonly [string, Node] | undefined {
    const names = ["usr", ...Array.from({ length: this.random.below(3) }, () => this.#pick(["a", "b", "c"]))];
    const name = this.#pick(["a", "b", "c", "d"]), kind = this.random.below(7);
    const path = names.join("/");
    const target = kind === 4 ? this.#target(layer, `${path}/${name}`) : undefined;
    if ((kind === 1 && !this.random.once(3)) || (kind === 4 && !target)) return undefined;
    const parent = directoryAt(layer, names);
    if (!parent) return undefined;
    const meta = this.#meta();
    const shown = `${meta.mode.toString(8).padStart(5, "0")} ${meta.uid} ${meta.gid}`;
    switch (kind) {
      case 0:
        parent.whiteouts.add(name);
        return [`${path}/.wh.${name}`, whiteout];
      case 1:
        parent.opaque = true;
        return [`${path}/.wh..wh..opq`, whiteout];
      case 2:
        nameDirectory(parent, name, `d${shown}`);
        return [`${path}/${name}/`, dir(meta)];
      case 3:
        parent.entries.set(name, { kind: "file", shown: `l00777 ${meta.uid} ${meta.gid} -> ${name}` });
        return [`${path}/${name}`, link(name, meta)];
      case 4:
        parent.entries.set(name, target![1]);
        return [`${path}/${name}`, hardlink(target![0])];
      default: {
        const size = ++this.#size; // tells files apart
        parent.entries.set(name, { kind: "file", shown: `-${shown} ${size}` });
        return [`${path}/${name}`, file("x".repeat(size), meta)];
      }
    }
  }

  /** What a hardlink may lead to: a file of the layer, or one below that the layer does not touch. */
  #target(layer: ModelDirectory, path: string): [string, ModelFile] | undefined {
    const below = files(this.#root).filter(([lower]) => !touches(layer, lower));
    const candidates = [...files(layer), ...below].filter(([target]) =>
      target !== path && !path.startsWith(`${target}/`)
    );
    return candidates.length === 0 ? undefined : this.#pick(candidates);
  }

  /** The merged tree, by path. */
  tree(): Record<string, string> {
    const out: Record<string, string> = {};
    const walk = (directory: ModelDirectory, path: string) => {
      for (const [name, entry] of directory.entries) {
        out[`${path}/${name}`] = entry.shown;
        if (entry.kind === "directory") walk(entry, `${path}/${name}`);
      }
    };
    walk(this.#root, "");
    return out;
  }
}

/** The directory at a path, made where there is none; undefined, and nothing made, where a file is in the way. */
function directoryAt(root: ModelDirectory, names: readonly string[]): ModelDirectory | undefined {
  if (names.length === 0) return root;
  const [name, ...rest] = names;
  const found = root.entries.get(name!);
  if (found?.kind === "file") return undefined;
  const next = found ?? newDirectory();
  const directory = directoryAt(next, rest);
  if (directory) root.entries.set(name!, next);
  return directory;
}

function nameDirectory(parent: ModelDirectory, name: string, shown: string): void {
  const old = parent.entries.get(name);
  const directory = old?.kind === "directory" ? old : newDirectory();
  directory.shown = shown;
  directory.named = true;
  parent.entries.set(name, directory);
}

function files(directory: ModelDirectory, path = ""): [string, ModelFile][] {
  return [...directory.entries].flatMap(([name, entry]) =>
    entry.kind === "file" ? [[path + name, entry] as [string, ModelFile]] : files(entry, `${path}${name}/`)
  );
}

/** Whether a layer has anything at a path: a link to it would then mean the layer's own. */
function touches(layer: ModelDirectory, path: string): boolean {
  let entry: ModelEntry | undefined = layer;
  for (const name of path.split("/")) {
    if (entry?.kind !== "directory") return entry !== undefined;
    entry = entry.entries.get(name);
  }
  return entry !== undefined;
}

function lay(lower: ModelDirectory, upper: ModelDirectory): void {
  if (upper.named) lower.shown = upper.shown;
  if (upper.opaque) lower.entries.clear();
  for (const name of upper.whiteouts) lower.entries.delete(name);
  for (const [name, entry] of upper.entries) {
    if (entry.kind === "file") {
      lower.entries.set(name, entry);
      continue;
    }
    let below = lower.entries.get(name);
    if (below?.kind === "file" && !entry.named) throw new Refused(name);
    if (below?.kind !== "directory") {
      below = newDirectory();
      lower.entries.set(name, below);
    }
    lay(below, entry);
  }
}
