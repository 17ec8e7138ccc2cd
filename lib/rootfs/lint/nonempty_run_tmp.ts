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
  async check(root, signal) {
    const content = await Promise.all(DIRECTORIES.map((directory) => contentOf(root, directory, signal)));
    const items = withoutTolerated(content.flat());
    return lists({
      header: "Found content in runtime-only directories (/run, /tmp)",
      items: items.map((path) => quotePath(`/${path}`)),
    });
  },
};

/** What is mounted there, or over the whole of it, is no part of the image. */
async function contentOf(root: Root, start: string, signal: AbortSignal): Promise<string[]> {
  const paths: string[] = [];
  if (root.isMountPoint(start)) return paths;
  await walk(root, (entry) => {
    if (!isMountPoint(entry)) paths.push(entry.path);
  }, { start, signal });
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
