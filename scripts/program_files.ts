/** The files that a program of this project is made of, and a copy of them alone to compile from. */
import type { Context } from "../lib/sys/context.ts";
import { capture } from "../lib/sys/run.ts";

interface ModuleGraph {
  readonly modules: readonly { readonly local?: string }[];
}

/** What Deno reads beside modules: its configuration, and those of the packages that it links. */
async function configurations(directory: string): Promise<string[]> {
  const { links = [] } = JSON.parse(await Deno.readTextFile(`${directory}/deno.json`)) as { links?: readonly string[] };
  return ["deno.json", "package.json", ...links.map((link) => `${link.replace(/^\.\//, "")}/deno.json`)];
}

/** The folder of an npm package at the beginning of a path. */
const PACKAGE = /^node_modules\/(?:@[^/]+\/)?[^/]+\//;

/** The modules below the directory that are reached from `main`, `import()` of a literal included: Deno's graph ends at npm's packages. */
async function graphFiles(ctx: Context, directory: string, main: string): Promise<string[]> {
  const text = await capture(ctx, [Deno.execPath(), "info", "--json", main], { cwd: directory });
  const { modules } = JSON.parse(text) as ModuleGraph;
  return modules.map((module) => module.local ?? "").filter((local) => local.startsWith(`${directory}/`));
}

const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//g;
const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;

/** Where a relative import leads; the path may hold what a URL would escape. */
function importedPath(file: string, name: string): string {
  const base = file.split("/").map(encodeURIComponent).join("/");
  return decodeURIComponent(new URL(name, `file://${base}`).pathname);
}

/** The given files of npm packages and what they import by relative names, and so on. */
async function followImports(files: readonly string[]): Promise<Set<string>> {
  const reached = new Set<string>(files);
  for (const file of reached) {
    for (const [, name] of (await Deno.readTextFile(file)).replaceAll(BLOCK_COMMENT, "").matchAll(RELATIVE_IMPORT)) {
      reached.add(importedPath(file, name!));
    }
  }
  return reached;
}

/** Paths relative to the directory, sorted: the modules of a program and what Deno needs to resolve their names. */
export async function programFiles(ctx: Context, directory: string, main: string): Promise<string[]> {
  const modules = await graphFiles(ctx, directory, main);
  const ofNpm = await followImports(modules.filter((path) => path.startsWith(`${directory}/node_modules/`)));
  const paths = [...modules, ...ofNpm].map((path) => path.slice(directory.length + 1));
  const manifests = paths.flatMap((path) => PACKAGE.exec(path) ?? []).map((folder) => `${folder}package.json`);
  return [...new Set([...paths, ...manifests, ...await configurations(directory)])].sort();
}

/**
 * Copies a program's files into an empty directory, all with the modification time 0: `deno compile` embeds times, and all of
 * `node_modules`, so that what it makes of the copy depends on nothing but the sources.
 */
export async function copyProgram(ctx: Context, directory: string, main: string, copy: string): Promise<void> {
  for (const path of await programFiles(ctx, directory, main)) {
    const target = `${copy}/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(`${directory}/${path}`, target);
    await Deno.utime(target, 0, 0);
  }
}
