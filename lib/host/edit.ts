/** The host document in a person's editor. */
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { runInherited } from "../sys/run.ts";
import { hostYaml, parseHost } from "./document.ts";
import type { Host } from "./spec.ts";

/**
 * Opens the document in $EDITOR and reads what was left in it.
 * @throws {UserError} without an editor, when it fails, or when the text is no host document
 */
export async function editDocument(ctx: Context, host: Host): Promise<Host> {
  const editor = ctx.env["VISUAL"]?.trim() || ctx.env["EDITOR"]?.trim();
  if (!editor) throw new UserError("No editor is set", { hint: "Set EDITOR, or give the document with --filename" });
  const directory = await Deno.makeTempDir({ prefix: "bootc-edit-" });
  try {
    const path = `${directory}/host.yaml`;
    await Deno.writeTextFile(path, hostYaml(host), { createNew: true, mode: 0o600 });
    const [program, ...args] = editor.split(/\s+/);
    const code = await runInherited(ctx, [program!, ...args, path]);
    if (code !== 0) throw new UserError(`The editor "${editor}" failed with exit code ${code}; nothing was changed`);
    return await readEdited(path, editor);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function readEdited(path: string, editor: string): Promise<Host> {
  try {
    return parseHost(await Deno.readFile(path));
  } catch (cause) {
    throw new UserError(`Cannot read what the editor "${editor}" left; nothing was changed`, { cause });
  }
}
