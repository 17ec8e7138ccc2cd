/** Room for what tools write on the way: an image that runs as a container has an empty /var, and no /var/tmp in it. */
import type { Context } from "../sys/context.ts";

/** A context whose tools use `directory` for temporary files, where there is nothing else with room for a layer. */
export async function withScratch(ctx: Context, directory: string, varTmp = "/var/tmp"): Promise<Context> {
  if (ctx.env["TMPDIR"] || await Deno.stat(varTmp).then(({ isDirectory }) => isDirectory, () => false)) return ctx;
  return { ...ctx, env: { ...ctx.env, TMPDIR: directory } };
}
