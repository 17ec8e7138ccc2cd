/**
 * Makes what distributions take: `deno run -A scripts/package-rpm.ts vendor|package|spec|srpm|rpm|deb [--outdir DIR]`.
 *
 * All of it is made of the commit that is checked out. Files come into the directory when they are whole; their paths are printed.
 */
import { buildDeb } from "./package/deb.ts";
import { sourceArchive, vendorArchive } from "./package/archives.ts";
import { deliver, workDirectory } from "./package/outdir.ts";
import { buildRpm, requireBuildPath, type RpmArch, sourceRpm, writeSpec } from "./package/rpm.ts";
import { findRelease, type Release, withoutGitPlaces } from "./package/version.ts";
import { script } from "./script.ts";
import type { Context } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";
import { UsageError } from "../lib/cli/errors.ts";

type Make = (ctx: Context, release: Release, directory: string, arch: RpmArch) => Promise<string | string[]>;

const MAKERS: Readonly<Record<string, Make>> = {
  vendor: vendorArchive,
  package: sourceArchive,
  spec: (_ctx, release, directory) => writeSpec(release, directory),
  srpm: sourceRpm,
  rpm: async (ctx, release, directory, arch) => {
    requireBuildPath(directory);
    return await buildRpm(ctx, await sourceRpm(ctx, release, directory), directory, arch);
  },
  deb: (ctx, release, directory, arch) => buildDeb(ctx, release, { directory, arch }),
};

const spec = {
  summary: "Make archives and packages of the commit that is checked out",
  positionals: [{ name: "what", help: "vendor, package, spec, srpm, rpm or deb" }],
  flags: {
    outdir: { kind: "string", default: "target", help: "Directory that the result is put into", complete: "directory" },
    arch: {
      kind: "enum",
      values: ["x86_64", "aarch64"],
      default: Deno.build.arch,
      help: "Processor that a binary package is for",
    },
    version: { kind: "string", help: "Version instead of the one that git says" },
  },
} as const;

if (import.meta.main) {
  await script(spec, async (given, { outdir, arch, version }, { what }) => {
    const make = Object.hasOwn(MAKERS, what) ? MAKERS[what] : undefined;
    if (!make) throw new UsageError(`Cannot make "${what}": one of ${Object.keys(MAKERS).join(", ")} was expected`);
    if (outdir === "") {
      throw new UserError("The directory for the result has no name", { hint: "Give one to --outdir" });
    }
    const ctx = withoutGitPlaces(given);
    const release = await findRelease(ctx, version);
    await using work = await workDirectory(ctx.env);
    const made = await make(ctx, release, work.path, arch);
    for (const path of await deliver([made].flat(), outdir)) console.log(path);
  });
}
