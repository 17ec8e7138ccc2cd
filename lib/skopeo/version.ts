/** Which skopeo is here: `--version` is asked at most once for a context. */
import type { Context } from "../sys/context.ts";
import { ToolError } from "../sys/errors.ts";
import { capture } from "../sys/run.ts";

/** Major, minor. */
export type SkopeoVersion = readonly [number, number];

/** From this version on the image proxy applies `policy.json` when it opens an image. */
export const PROXY_CHECKS_POLICY: SkopeoVersion = [1, 13];
/** From this version on there is `--user-agent-prefix`. */
export const HAS_USER_AGENT_PREFIX: SkopeoVersion = [1, 21];

const known = new WeakMap<Context, Promise<SkopeoVersion>>();

/**
 * @throws {UserError} when skopeo is missing
 * @throws {ToolError} when it fails or does not name a version
 */
export function skopeoVersion(ctx: Context): Promise<SkopeoVersion> {
  let version = known.get(ctx);
  if (version === undefined) {
    version = capture(ctx, [ctx.tools.skopeo, "--version"]).then(parseSkopeoVersion);
    known.set(ctx, version);
  }
  return version;
}

/** Reads "skopeo version 1.9.3" or "skopeo version 1.18.0-dev commit: ...". @throws {ToolError} */
export function parseSkopeoVersion(text: string): SkopeoVersion {
  const match = /^skopeo version (\d+)\.(\d+)/.exec(text);
  if (match === null) throw new ToolError(`Cannot read the version of skopeo from ${JSON.stringify(text.trim())}`);
  return [Number(match[1]), Number(match[2])];
}

/** Whether `version` is `wanted` or later. */
export function isAtLeast(version: SkopeoVersion, wanted: SkopeoVersion): boolean {
  return version[0] > wanted[0] || (version[0] === wanted[0] && version[1] >= wanted[1]);
}
