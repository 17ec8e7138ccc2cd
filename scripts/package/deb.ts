/** Debian packages. */
import type { Context } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { run } from "../../lib/sys/run.ts";
import { sourceArchive, vendorInto } from "./archives.ts";
import { build, requireTool } from "./build.ts";
import { type Arch, hostArch } from "../wheel.ts";
import type { RpmArch } from "./rpm.ts";
import type { Release } from "./version.ts";

const DEBIAN: Record<RpmArch, string> = { x86_64: "amd64", aarch64: "arm64" };
const DENO: Record<RpmArch, Arch> = { x86_64: "x64", aarch64: "arm64" };

/** debian/changelog of a version: the one place where dpkg finds it, and the date of all files in the package. */
export function renderChangelog({ version, commit, time }: Release): string {
  const date = new Date(time * 1000).toUTCString().replace("GMT", "+0000");
  return [
    `bootc (${version}) unstable; urgency=medium`,
    "",
    `  * Built from commit ${commit}.`,
    "",
    ` -- the bootc-ts contributors <bootc-ts@localhost>  ${date}`,
    "",
  ].join("\n");
}

/** How a package is built. */
export interface DebOptions {
  /** Leaves the tests out, compresses less and is silent: for an image that is made and thrown away. */
  readonly quick?: boolean;
}

/**
 * The binary package, in a directory. Nothing but what {@linkcode vendorInto} fetches needs a network.
 * @throws {ToolError} when the build or its tests fail
 */
export async function buildDeb(
  ctx: Context,
  release: Release,
  { directory, arch, quick = false }: DebOptions & { directory: string; arch: RpmArch },
): Promise<string> {
  await requireTool(ctx, "dpkg-buildpackage");
  const archive = await sourceArchive(ctx, release, directory);
  const source = `${directory}/bootc-${release.version}`;
  await run(ctx, ["tar", "--extract", "--zstd", "--file", archive, "--directory", directory]);
  await vendorInto(ctx, source, DENO[arch] === hostArch ? [hostArch] : [hostArch, DENO[arch]]);
  await Deno.writeTextFile(`${source}/debian/changelog`, renderChangelog(release));
  const native = DENO[arch] === hostArch;
  // deno-fmt-ignore
  await (quick ? run : build)(ctx, [
    "dpkg-buildpackage", "--build=binary", "--no-sign", "--host-arch", DEBIAN[arch],
    // Nothing here is compiled by gcc: neither build-essential is needed nor, for a foreign processor, a cross-compiler.
    native ? "--ignore-builtin-builddeps" : "--no-check-builddeps",
  ], {
    cwd: source,
    env: quick ? { DEB_BUILD_OPTIONS: "nocheck", BOOTC_DEB_COMPRESSION: "-Zgzip -z1" } : {},
  });
  const found = [...Deno.readDirSync(directory)].find(({ name }) => name.endsWith(".deb"));
  if (!found) throw new UserError("dpkg-buildpackage made no package");
  return `${directory}/${found.name}`;
}
