/**
 * Which path of a derived layer goes where in an ostree tree (formats: ostree-ext `tar/write.rs`; traps T26 and T30).
 * Paths are binary strings.
 */

/** Where an image's /var goes: kept where libostree fills a deployment's /var from it (2024.3), else factory content. */
export const VAR_PATHS = { kept: "var", factory: "usr/share/factory/var" } as const;
/** One of {@linkcode VAR_PATHS}. */
export type VarPath = typeof VAR_PATHS[keyof typeof VAR_PATHS];

/** How an image's derived layers are filtered. */
export interface FilterRules {
  /** Every top-level name is kept: the image has no ostree part, or its base has a transient or composefs root. */
  readonly keepAll: boolean;
  readonly varPath: VarPath;
  /** Which SELinux policy labels the layer's entries: the dirtree of the base's usr/etc/selinux, empty for none. */
  readonly policy: string;
}

/** What becomes of a path. */
export type FilteredPath =
  | { readonly kind: "keep"; readonly path: string }
  /** It is the root, or lies below a directory that a running system mounts over. */
  | { readonly kind: "ignore" }
  /** ostree trees have no such top-level name. */
  | { readonly kind: "drop"; readonly top: string };

const RUNTIME_DIRECTORIES = new Set(["run", "tmp", "proc", "sys", "dev"]);
const PATH_MAX_BYTES = 4095;
const WHITEOUT = ".wh.";
/** Objects of an ostree repository inside a container: never part of the tree. */
export const REPOSITORY_PREFIX = "sysroot/ostree/";

/**
 * A path without leading `/`, `./`, doubled slashes and trailing slash; empty for the root.
 * @throws {SyntaxError} when it has a `..`, a NUL or is longer than a path can be
 */
export function normalizePath(path: string): string {
  if (path.length > PATH_MAX_BYTES) {
    throw new SyntaxError(`A path has ${path.length} bytes; Linux takes ${PATH_MAX_BYTES}`);
  }
  if (path.includes("\0")) throw new SyntaxError("A path holds a NUL byte");
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") throw new SyntaxError('A path holds ".."');
    if (name !== "" && name !== ".") names.push(name);
  }
  return names.join("/");
}

/** Decides on a path that {@linkcode normalizePath} made. */
export function filterPath(path: string, rules: FilterRules): FilteredPath {
  if (path === "") return { kind: "ignore" };
  const cut = path.indexOf("/");
  const top = cut < 0 ? path : path.slice(0, cut);
  const rest = cut < 0 ? "" : path.slice(cut);
  if (top === "usr") return { kind: "keep", path };
  if (top === "etc") return { kind: "keep", path: `usr/etc${rest}` };
  // An image without an ostree part brings the mount point itself: no host boots without one.
  if (top === "var") return { kind: "keep", path: rest === "" && rules.keepAll ? "var" : rules.varPath + rest };
  if (RUNTIME_DIRECTORIES.has(top)) return rest === "" ? { kind: "keep", path } : { kind: "ignore" };
  if (path.startsWith(REPOSITORY_PREFIX)) return { kind: "ignore" };
  if (rest === "" && top.startsWith(WHITEOUT)) return filterWhiteout(top, rules);
  return rules.keepAll ? { kind: "keep", path } : { kind: "drop", top };
}

/** A whiteout at the top goes where what it removes would be. */
function filterWhiteout(name: string, rules: FilterRules): FilteredPath {
  const removed = name.slice(WHITEOUT.length);
  if (removed === "etc") return { kind: "keep", path: "usr/.wh.etc" };
  if (removed === "var" && rules.varPath !== "var") return { kind: "keep", path: "usr/share/factory/.wh.var" };
  if (removed === "usr" || removed === "var" || removed === ".wh..opq" || rules.keepAll) {
    return { kind: "keep", path: name };
  }
  return { kind: "drop", top: name };
}
