import { quotePath } from "../quote.ts";
import type { Root } from "../root.ts";
import { isMountPoint, walk } from "../walk.ts";
import { lists, type PlaceLint } from "./lint.ts";

const DIRECTORIES = ["run", "tmp"];

/**
 * What every container or Debian root has there: podman's DNS file (https://github.com/bootc-dev/bootc/issues/2050) and the directory for
 * lock files that Debian's base-files makes.
 */
const TOLERATED = ["run/systemd/resolve/stub-resolv.conf", "run/lock/subsys"];

export const nonemptyRunTmp: PlaceLint = {
  name: "nonempty-run-tmp",
  type: "warning",
  description:
    "/run and /tmp should be empty: the running system mounts over them, so what is there was left behind by the build.",
  check(root) {
    const items = withoutTolerated(DIRECTORIES.flatMap((directory) => contentOf(root, directory)));
    return lists({
      header: "Found content in runtime-only directories (/run, /tmp)",
      items: items.map((path) => quotePath(`/${path}`)),
    });
  },
};

/** What is mounted there, or over the whole of it, is no part of the image. */
function contentOf(root: Root, directory: string): string[] {
  const paths: string[] = [];
  if (root.isMountPoint(directory)) return paths;
  walk(root, (entry) => {
    if (!isMountPoint(entry)) paths.push(entry.path);
  }, { start: directory });
  return paths;
}

/** Leaves out what is tolerated, and the directories that hold nothing else. */
function withoutTolerated(paths: readonly string[]): string[] {
  const left = new Set(paths);
  for (const tolerated of TOLERATED) {
    for (let path = tolerated; path.includes("/"); path = path.slice(0, path.lastIndexOf("/"))) {
      if ([...left].some((other) => other.startsWith(`${path}/`))) break;
      left.delete(path);
    }
  }
  return [...left];
}
