/**
 * Content that an update has for /var and a host will not see: /var is filled at the first deployment alone. Pure, but for the functions
 * that it is given. Paths are binary strings below /var.
 */
import type { ListedName } from "../ostree/commit_tree.ts";
import { declaredPath } from "../rootfs/tmpfiles.ts";

/** What is compared. */
export interface VarContentState {
  /** The names in a directory of the update's /var. */
  readonly next: (path: string) => readonly ListedName[];
  /** The same of what runs. */
  readonly current: (path: string) => readonly ListedName[];
  /** Whether the host has something by this name. */
  readonly onHost: (path: string) => boolean;
  readonly declared: DeclaredPaths;
}

/** What tmpfiles.d makes at boot, below /var. */
export interface DeclaredPaths {
  /** By a line of its own. */
  readonly has: (path: string) => boolean;
  /** With all that is in it: a copy, or a link to where it is. */
  readonly hasWhole: (path: string) => boolean;
  /** Something below is made, and with it the way there. */
  readonly hasBelow: (path: string) => boolean;
}

/** Types of lines that make something; the others only change or remove what is there. Source: tmpfiles.d(5) of systemd 257. */
const MAKES = "fFdDvqQpLcbC";
const MAKES_WHOLE = "LC";
/** No path can be longer. */
const PATH_MAX_BYTES = 4095;
/** Specifiers that stand for a directory in /var. */
const SPECIFIERS: Readonly<Record<string, string>> = {
  "%S": "/var/lib",
  "%C": "/var/cache",
  "%L": "/var/log",
  "%V": "/var/tmp",
};

/**
 * Reads lines of tmpfiles.d. `link` tells where a symlink at the top of the image leads: /root is /var/roothome on many systems.
 */
export function declaredInVar(lines: Iterable<string>, link: (name: string) => string | undefined): DeclaredPaths {
  const whole = new Map<string, boolean>(), above = new Set<string>();
  for (const line of lines) {
    const type = line.trimStart()[0] ?? "#";
    if (!MAKES.includes(type)) continue;
    const path = pathInVar(declaredPath(line), link);
    if (path === undefined || path.length > PATH_MAX_BYTES) continue;
    whole.set(path, whole.get(path) || MAKES_WHOLE.includes(type));
    for (const parent of parentsOf(path)) above.add(parent);
  }
  return {
    has: (path) => whole.has(path),
    hasWhole: (path) => whole.get(path) === true,
    hasBelow: (path) => above.has(path),
  };
}

function pathInVar(declared: string | undefined, link: (name: string) => string | undefined): string | undefined {
  const path = declared?.replace(/^%[SCLV]/, (specifier) => SPECIFIERS[specifier]!).replaceAll(/\/+/g, "/");
  const [, top, rest = ""] = /^\/([^/]+)(.*)$/.exec(path ?? "") ?? [];
  if (top === undefined) return undefined;
  const full = top === "var" ? `var${rest}` : `${link(top) ?? top}${rest}`.replace(/^\//, "");
  return full.startsWith("var/") ? full.slice("var/".length).replace(/\/$/, "") : undefined;
}

function parentsOf(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}

/** Nobody misses these: what a build left behind, and what a program makes again. */
function throwaway(path: string, kind: ListedName["kind"]): boolean {
  return path === "tmp" || (kind === "file" && /^(?:cache|log)\//.test(path));
}

/** A walk of the image that is not bounded would let it decide how long it takes. */
const NAMES_LIMIT = 50_000;

/** The uppermost new names that neither the host has nor tmpfiles.d makes, in order. */
export function unseenVarContent({ next, current, onHost, declared }: VarContentState): string[] {
  const unseen: string[] = [];
  let left = NAMES_LIMIT;
  const enter = (directory: string) => {
    const before = new Set(current(directory).map(({ name }) => name));
    for (const { name, kind } of next(directory).toSorted((a, b) => a.name < b.name ? -1 : 1)) {
      if (left-- <= 0) return;
      const path = directory === "" ? name : `${directory}/${name}`;
      if (path.length > PATH_MAX_BYTES || throwaway(path, kind) || declared.hasWhole(path)) continue;
      const seen = before.has(name) || declared.has(path) || onHost(path);
      if (kind === "directory" && (seen || declared.hasBelow(path))) enter(path);
      else if (!seen) unseen.push(path);
    }
  };
  enter("");
  return unseen;
}
