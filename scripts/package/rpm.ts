/** RPMs. */
import type { Context } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { capture } from "../../lib/sys/run.ts";
import { projectDirectory } from "../script.ts";
import { sourceArchive, vendorArchive } from "./archives.ts";
import { build, requireTool } from "./build.ts";
import type { Release } from "./version.ts";

/** Processors as RPM calls them. */
export type RpmArch = "x86_64" | "aarch64";

const VERSION_LINE = /^Version: +.*$/m;

/** The spec of a version. @throws {UserError} when the template has no version to replace */
export function renderSpec(template: string, version: string): string {
  if (!VERSION_LINE.test(template)) throw new UserError("COPR/bootc.spec has no line that begins with Version:");
  return template.replace(
    VERSION_LINE,
    `# Replaced by scripts/package-rpm.ts\nVersion:        ${version}`,
  );
}

/** `bootc.spec` in a directory. */
export async function writeSpec({ version }: Release, directory: string): Promise<string> {
  const spec = `${directory}/bootc.spec`;
  await Deno.writeTextFile(spec, renderSpec(await Deno.readTextFile(`${projectDirectory}/COPR/bootc.spec`), version));
  return spec;
}

/** The files below a directory with an ending. */
async function findFiles(ctx: Context, directory: string, ending: string): Promise<string[]> {
  return (await capture(ctx, ["find", directory, "-name", `*${ending}`])).split("\n").filter((line) => line !== "")
    .sort();
}

/** The one source package, in a directory. @throws {ToolError} */
export async function sourceRpm(ctx: Context, release: Release, directory: string): Promise<string> {
  await requireTool(ctx, "rpmbuild");
  await sourceArchive(ctx, release, directory);
  await vendorArchive(ctx, release, directory);
  const spec = await writeSpec(release, directory);
  // deno-fmt-ignore
  await build(ctx, [
    "rpmbuild", "-bs", "--quiet",
    "--define", `_topdir ${directory}/rpmbuild`, "--define", `_sourcedir ${directory}`,
    // Both archives are compressed already.
    "--define", "_source_payload w1.gzdio",
    // COPR's builders have other releases of the system than the one that makes this package.
    "--define", "dist %{nil}",
    "--", spec,
  ]);
  const [found] = await findFiles(ctx, `${directory}/rpmbuild/SRPMS`, ".src.rpm");
  if (!found) throw new UserError("rpmbuild made no source package");
  return found;
}

/** rpmbuild's own `%setup` quotes nothing. @throws {UserError} where it could not build below a path */
export function requireBuildPath(path: string): void {
  if (/^[\w/.+@-]+$/.test(path)) return;
  throw new UserError(`rpmbuild cannot build in "${path}"`, {
    hint: "Set TMPDIR to a directory whose path has ASCII letters, digits and no blanks",
  });
}

/** Whether the packages of this machine are RPMs, so that rpmbuild can see which of the build requirements are here. */
async function managedByRpm(ctx: Context): Promise<boolean> {
  return (await capture(ctx, ["rpm", "--query", "--all"])).trim() !== "";
}

/** The command line that builds a source package; pure. */
export function rebuildArgv(
  srpm: string,
  { topdir, arch, checkRequirements }: { topdir: string; arch: RpmArch; checkRequirements: boolean },
): [string, ...string[]] {
  // deno-fmt-ignore
  return [
    "rpmbuild", "--rebuild", "--quiet", "--target", arch,
    ...(checkRequirements ? [] : ["--nodeps"]),
    "--define", `_topdir ${topdir}`,
    "--", srpm,
  ];
}

/** Builds a source package; nothing of it needs a network. Gives the binary packages, in a directory. @throws {ToolError} */
export async function buildRpm(ctx: Context, srpm: string, directory: string, arch: RpmArch): Promise<string[]> {
  const checkRequirements = await managedByRpm(ctx);
  if (!checkRequirements) ctx.note("The packages of this machine are no RPMs: build requirements are not checked");
  const topdir = `${directory}/rebuild`;
  await build(ctx, rebuildArgv(srpm, { topdir, arch, checkRequirements }));
  return await findFiles(ctx, `${topdir}/RPMS`, ".rpm");
}
