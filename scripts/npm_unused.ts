/** What `deno compile` would embed of node_modules though no module of the program can reach it. */
import type { Context } from "../lib/sys/context.ts";
import { capture } from "../lib/sys/run.ts";

interface ModuleGraph {
  readonly modules: readonly { readonly kind?: string; readonly local?: string }[];
}

/** The files of node_modules that the program's own modules import: Deno's graph ends there. */
async function importedFiles(ctx: Context, directory: string, main: string): Promise<string[]> {
  const text = await capture(ctx, ["deno", "info", "--json", main], { cwd: directory });
  const { modules } = JSON.parse(text) as ModuleGraph;
  const locals = modules.map((module) => module.local ?? "");
  return locals.filter((local) => local.startsWith(`${directory}/node_modules/`));
}

const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//g;
const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;

/** The given files and what they import by relative names, and so on. */
async function followImports(files: readonly string[]): Promise<Set<string>> {
  const reached = new Set<string>(files);
  for (const file of reached) {
    for (const [, name] of (await Deno.readTextFile(file)).replaceAll(BLOCK_COMMENT, "").matchAll(RELATIVE_IMPORT)) {
      reached.add(new URL(name!, `file://${file}`).pathname);
    }
  }
  return reached;
}

/**
 * The paths, relative to the project, to leave out: whole packages without a reached file (those for development), folders (the first
 * level inside a package) without one, and npm's own notes. A used package's files at its top, package.json among them, stay. What is left
 * is the same whether the packages for development are there or not.
 */
export async function unusedNpmPaths(ctx: Context, directory: string, main: string): Promise<string[]> {
  const reached = [...await followImports(await importedFiles(ctx, directory, main))];
  const used = (path: string) => reached.some((file) => file.startsWith(`${directory}/${path}/`));
  const unusedBelow = (path: string, depth: number): string[] =>
    [...Deno.readDirSync(`${directory}/${path}`)].flatMap(({ name, isDirectory }) => {
      const inside = `${path}/${name}`;
      if (!isDirectory) return depth === 0 ? [inside] : [];
      if (!used(inside)) return [inside];
      // Names of packages may have two parts; below them only one level is looked at.
      return depth === 0 || (depth === 1 && path.includes("/@")) ? unusedBelow(inside, depth + 1) : [];
    });
  return unusedBelow("node_modules", 0).sort();
}
