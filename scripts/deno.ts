/** Fetches Deno for either processor: `scripts/setup.sh` installs this machine's, a package build brings both along. */
import type { Context } from "../lib/sys/context.ts";
import { DENO_VERSION } from "./denort.ts";
import { cacheDirectory } from "./script.ts";
import { type Arch, cached, downloadProgram } from "./wheel.ts";

const WHEEL = { requirements: "deno.requirements.txt", glibc: "2_27", program: "/scripts/deno" };

/**
 * Gives the path of a Deno whose wheel has the pinned SHA-256, fetched unless the cache has it. `scripts/setup.sh` writes the same path.
 * @throws {ToolError} when pip fails
 */
export async function fetchDeno(ctx: Context, arch: Arch): Promise<string> {
  const path = `${cacheDirectory(ctx.env)}/deno-${DENO_VERSION}-${arch}/deno`;
  return await cached(
    path,
    async (directory) => await Deno.readFile(await downloadProgram(ctx, WHEEL, arch, directory)),
  );
}
