/** The two archives that everything is built from. The same commit gives the same bytes. Source: rows X1 and X2. */
import type { Context } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";
import { fetchDeno } from "../deno.ts";
import { fetchDenort } from "../denort.ts";
import { projectDirectory } from "../script.ts";
import type { Arch } from "../wheel.ts";
import { gitArgv, type Release } from "./version.ts";

const ARCHES: readonly Arch[] = ["x64", "arm64"];

/** A window of 128 MiB, the most that every zstd unpacks unasked, so that Deno and its runtime share what they have in common. */
const ZSTD = ["zstd", "--quiet", "--force", "-12", "--long=27", "--threads=2"] as const;

// deno-fmt-ignore
const TAR = [
  "tar", "--create", "--format=gnu", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner",
  "--mode=u+rw,go=u-w",
] as const;

async function compress(ctx: Context, tar: string): Promise<string> {
  const archive = tar.replace(/\.tar$/, ".tar.zstd");
  await run(ctx, [...ZSTD, "-o", archive, "--", tar]);
  await Deno.remove(tar);
  return archive;
}

/** The settings that change an archive, as git has them where nobody set others. */
const GIT_SETTINGS = ["tar.umask=0002", "core.autocrlf=false", "core.attributesFile=/dev/null"]
  .flatMap((setting) => ["-c", setting]);

/** `bootc-VERSION.tar.zstd` in a directory: what the commit holds, below `bootc-VERSION/`. @throws {ToolError} */
export async function sourceArchive(ctx: Context, { version, commit }: Release, directory: string): Promise<string> {
  const tar = `${directory}/bootc-${version}.tar`;
  await run(
    ctx,
    gitArgv(...GIT_SETTINGS, "archive", "--format=tar", `--prefix=bootc-${version}/`, `--output=${tar}`, commit),
  );
  return await compress(ctx, tar);
}

/**
 * Puts all that a build without a network needs beside the sources into a directory: `vendor/cache/` gets Deno and denort, `node_modules/`
 * the npm packages that the program or its tests import.
 * @throws {ToolError} when pip or npm cannot fetch something, or what came has another checksum
 */
export async function vendorInto(ctx: Context, root: string, arches: readonly Arch[]): Promise<void> {
  await Deno.mkdir(`${root}/vendor/cache`, { recursive: true });
  for (const arch of arches) {
    await Deno.copyFile(await fetchDeno(ctx, arch), `${root}/vendor/cache/deno-${arch}`);
    await Deno.copyFile(await fetchDenort(ctx, arch), `${root}/vendor/cache/denort-${arch}`);
  }
  for (const name of ["package.json", "package-lock.json"]) {
    await Deno.copyFile(`${projectDirectory}/${name}`, `${root}/${name}`);
  }
  await run(ctx, ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: root });
}

/**
 * `bootc-VERSION-vendor.tar.zstd` in a directory: what {@linkcode vendorInto} gives for both processors, to be unpacked over the sources.
 * @throws {ToolError}
 */
export async function vendorArchive(ctx: Context, { version }: Release, directory: string): Promise<string> {
  const root = `${directory}/vendored`;
  await vendorInto(ctx, root, ARCHES);
  const tar = `${directory}/bootc-${version}-vendor.tar`;
  await run(ctx, [...TAR, "--file", tar, "--directory", root, "vendor", "node_modules"]);
  await Deno.remove(root, { recursive: true });
  return await compress(ctx, tar);
}
