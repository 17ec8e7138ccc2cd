/**
 * `deno task docs` writes the manual pages, completions and JSON schemas, all made from the commands' specs, the types and the prose in
 * man/. `deno task docs --check` writes nothing, names the files that are not what it would write, and fails if there are any.
 */
import type { Context } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";
import { makeOutputs, type Outputs, OWNED } from "./docs/outputs.ts";
import { projectDirectory, script } from "./script.ts";

/** A file that is not what its sources give. */
export interface Drift {
  /** From the project's folder. */
  readonly path: string;
  readonly kind: "missing" | "changed" | "left over";
}

/** What differs, by path. */
export async function drift(outputs: Outputs, directory: string = projectDirectory): Promise<Drift[]> {
  const found: Drift[] = [];
  for (const [path, text] of outputs) {
    const present = await textOf(`${directory}/${path}`);
    if (present !== text) found.push({ path, kind: present === undefined ? "missing" : "changed" });
  }
  for (const { folder, ending } of OWNED) {
    for await (const { name } of Deno.readDir(`${directory}/${folder}`)) {
      const path = `${folder}/${name}`;
      if (ending.test(name) && !outputs.has(path)) found.push({ path, kind: "left over" });
    }
  }
  return found.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Undefined where there is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function write(ctx: Context, outputs: Outputs): Promise<void> {
  for (const { path, kind } of await drift(outputs)) {
    const text = outputs.get(path);
    if (text === undefined) await Deno.remove(`${projectDirectory}/${path}`);
    else await Deno.writeTextFile(`${projectDirectory}/${path}`, text);
    ctx.note(`${path}: was ${kind}`);
  }
}

const spec = {
  summary: "Write what is made from the sources",
  positionals: [],
  flags: { check: { help: "Only say what would change, and fail if anything would" } },
} as const;

if (import.meta.main) {
  await script(spec, async (ctx, flags) => {
    const outputs = await makeOutputs(ctx);
    if (!flags.check) return await write(ctx, outputs);
    const found = await drift(outputs);
    for (const { path, kind } of found) console.log(`${path}: ${kind}`);
    if (found.length > 0) {
      throw new UserError("Files are not what their sources give", { hint: "Run `deno task docs` and commit them" });
    }
  });
}
