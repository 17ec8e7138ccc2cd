/** Commands inside a root directory, as a container builder runs them. */
import type { Context } from "../../lib/sys/context.ts";
import { ToolError, UserError } from "../../lib/sys/errors.ts";
import { capture, run } from "../../lib/sys/run.ts";

/**
 * Finds out before the long work whether mounts of our own can be made here.
 * @throws {UserError} in a container without that right, and in a chroot into a plain directory, where "/" is no mount point
 */
export async function requireMounts(ctx: Context): Promise<void> {
  try {
    await run(ctx, ["unshare", "--mount", "true"]);
  } catch (cause) {
    if (!(cause instanceof ToolError)) throw cause;
    throw new UserError("Cannot make mounts here", {
      cause,
      hint: `In a container give it the right to mount; enter a chroot by "mount --bind DIR DIR && chroot DIR"`,
    });
  }
}

/** Mounts end with the mount namespace, so nothing is left behind whatever happens. */
const ENTER =
  `mount --bind /proc "$0/proc"; mount --bind /dev "$0/dev"; mount -t tmpfs tmpfs "$0/tmp"; exec chroot "$0" "$@"`;

/** The command line that runs `argv` in `root` with /proc, /dev and an empty /tmp; pure. */
export function chrootArgv(root: string, argv: readonly string[]): [string, ...string[]] {
  return ["unshare", "--mount", "--", "sh", "-euc", ENTER, root, ...argv];
}

/** Runs a shell script, given as text, in a root. @throws {ToolError} with the end of what it said */
export async function runInRoot(ctx: Context, root: string, scriptText: string): Promise<void> {
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive" };
  // In a file, so that an error shows a command and not the whole script.
  await Deno.writeTextFile(`${root}/.build-step`, scriptText);
  await run(ctx, chrootArgv(root, ["sh", "-eu", "/.build-step"]), { env });
  await Deno.remove(`${root}/.build-step`);
}

/**
 * What a Debian root looks like in one line a path: type, mode, owner, size, times and link target. /var is left out: a deployment has
 * its own.
 */
export async function listRoot(ctx: Context, root: string): Promise<Map<string, string>> {
  // deno-fmt-ignore
  const text = await capture(ctx, [
    "find", root, "-mindepth", "1", "-path", `${root}/var/*`, "-prune",
    "-o", "-mindepth", "1", "-printf", "%P\\t%y %m %U %G %s %T@ %C@ %l\\0",
  ]);
  const lines = text.split("\0").filter((line) => line !== "");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)]));
}

/** What a layer has to say about the step from one listing to the next; both sorted. */
export interface RootDiff {
  /** New and changed paths. */
  readonly changed: readonly string[];
  /** Paths that are gone; nothing below one that is listed. */
  readonly removed: readonly string[];
}

/** Compares two listings of the same root; pure. */
export function diffRoots(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): RootDiff {
  const changed = [...after].filter(([path, line]) => before.get(path) !== line).map(([path]) => path);
  const gone = [...before.keys()].filter((path) => !after.has(path));
  const removed = gone.filter((path) => !path.includes("/") || after.has(path.slice(0, path.lastIndexOf("/"))));
  return { changed: changed.sort(), removed: removed.sort() };
}

/** `.wh.NAME` beside where the removed path was. */
export function whiteout(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
}

// deno-fmt-ignore
const TAR = [
  "tar", "--create", "--format=pax", "--pax-option=delete=atime,delete=ctime", "--numeric-owner",
  "--xattrs", "--xattrs-include=*", "--sort=name", "--clamp-mtime", "--mtime=@1767225600",
] as const;

/** The whole root as a tar file, but for what is in /var and the virtual file systems. */
export async function tarRoot(ctx: Context, root: string, tar: string): Promise<void> {
  const empty = ["var", "dev", "proc", "sys", "run", "tmp"].map((name) => `--exclude=./${name}/*`);
  await run(ctx, [...TAR, ...empty, "--file", tar, "--directory", root, "."]);
}

/** The paths of a diff as a tar file, whiteouts at its end. `directory` is for scratch files. */
export async function tarDiff(
  ctx: Context,
  root: string,
  diff: RootDiff,
  tar: string,
  directory: string,
): Promise<void> {
  const list = `${directory}/paths`;
  await Deno.writeTextFile(list, diff.changed.map((path) => `${path}\0`).join(""));
  const from = ["--no-recursion", "--null", "--files-from", list];
  await run(ctx, [...TAR, "--file", tar, "--directory", root, ...from]);
  if (diff.removed.length === 0) return;
  const whiteouts = diff.removed.map(whiteout);
  for (const path of whiteouts) {
    await Deno.mkdir(`${directory}/whiteouts/${path}/..`.replace(/\/[^/]+\/\.\.$/, ""), { recursive: true });
    await Deno.writeTextFile(`${directory}/whiteouts/${path}`, "");
  }
  await Deno.writeTextFile(list, whiteouts.map((path) => `${path}\0`).join(""));
  const append = TAR.map((word) => word === "--create" ? "--append" : word);
  await run(ctx, [append[0]!, ...append.slice(1), "--file", tar, "--directory", `${directory}/whiteouts`, ...from]);
}
