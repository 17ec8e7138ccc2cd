/** The version that a package gets, from git. Source: rows X2. */
import type { Context } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { capture } from "../../lib/sys/run.ts";
import { projectDirectory } from "../script.ts";

/** A commit that packages are made of. */
export interface Release {
  /** As RPM and dpkg both take it: `0.2.0`, `1.0.0~rc.1`, or `202611302257.g0123abcd` between releases. */
  readonly version: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** Of the commit, in seconds since the epoch. */
  readonly time: number;
}

const TAG = /^v(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.]+))?$/;

/** Letters that no package format gives a meaning of its own. */
const VERSION = /^\d[0-9A-Za-z.]*(?:~[0-9A-Za-z.]+)?$/;

/**
 * `v1.0.0-rc.1` to `1.0.0~rc.1`, which sorts before `1.0.0`.
 * @throws {UserError} for any other kind of tag
 */
export function versionOfTag(tag: string): string {
  const [, number, before] = TAG.exec(tag) ?? [];
  if (number === undefined) {
    throw new UserError(`The tag "${tag}" is no version that a package can have`, {
      hint: `Name it like "v1.2.0" or "v1.2.0-rc.1", or give a version with --version`,
    });
  }
  return before === undefined ? number : `${number}~${before}`;
}

/** `202611302257.g0123abcd`: the minute of the commit in UTC, and its name. */
export function snapshotVersion(commit: string, time: number): string {
  const [minute] = new Date(time * 1000).toISOString().replaceAll(/[-T:]/g, "").match(/^\d{12}/)!;
  return `${minute}.g${commit.slice(0, 8)}`;
}

/** @throws {UserError} unless RPM and dpkg both take it */
export function checkVersion(version: string): string {
  if (VERSION.test(version)) return version;
  throw new UserError(`"${version}" is no version that a package can have`, {
    hint: "Use digits, letters and dots, and a ~ before what precedes a release: 1.2.0~rc.1",
  });
}

/** What git hooks and the like set, which would lead to another repository than the project's. */
const GIT_PLACES = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"];

/** A context without them. */
export function withoutGitPlaces<C extends Context>(ctx: C): C {
  return { ...ctx, env: Object.fromEntries(Object.entries(ctx.env).filter(([name]) => !GIT_PLACES.includes(name))) };
}

/** The words of a git command in the project; a checkout that belongs to another user is fine, as in a build service. */
export function gitArgv(...words: string[]): [string, ...string[]] {
  return [
    "git",
    "-C",
    projectDirectory,
    "-c",
    `safe.directory=${projectDirectory}`,
    "-c",
    "log.showSignature=false",
    ...words,
  ];
}

async function git(ctx: Context, ...words: string[]): Promise<string> {
  return (await capture(ctx, gitArgv(...words))).trim();
}

/** The tag with the highest version, a release above those that led to it; "" where there is no tag. */
async function tagOfHead(ctx: Context): Promise<string> {
  const sorted = ["-c", "versionsort.suffix=-", "tag", "--points-at", "HEAD", "--sort=-version:refname"];
  const tags = (await git(ctx, ...sorted)).split("\n");
  return tags.find((tag) => TAG.test(tag)) ?? tags[0] ?? "";
}

/**
 * What HEAD is. `version` takes the place of the tag's or the snapshot's.
 * @throws {UserError} where there is no git, no checkout, an odd version, or a work tree with changes, which no package would hold
 */
export async function findRelease(ctx: Context, version?: string): Promise<Release> {
  if (version !== undefined) checkVersion(version);
  const inside = await capture(ctx, gitArgv("rev-parse", "--show-prefix")).catch((cause) => {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`"${projectDirectory}" is no checkout of git, from which sources and version come`, {
      cause,
      hint: "Clone the repository; a released source package can be built with rpmbuild or dpkg-buildpackage alone",
    });
  });
  const changes = await git(ctx, "status", "--porcelain");
  if (inside.trim() !== "" || changes !== "") {
    throw new UserError(`"${projectDirectory}" has changes that are not committed: ${changes.split("\n")[0]?.trim()}`, {
      hint: "Commit or stash them: a package is made of a commit",
    });
  }
  const [commit, time] = (await git(ctx, "show", "--no-patch", "--format=%H %ct", "HEAD")).split(" ");
  const release = { commit: commit!, time: Number(time) };
  const tag = await tagOfHead(ctx);
  const own = tag === "" ? snapshotVersion(release.commit, release.time) : undefined;
  return { ...release, version: version ?? own ?? versionOfTag(tag) };
}
