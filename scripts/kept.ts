/** Directories in the cache that are costly to make: one for each key of what they were made of. */
import { Sha256 } from "../lib/codec/sha256.ts";
import type { Context } from "../lib/sys/context.ts";
import { run } from "../lib/sys/run.ts";
import { cacheDirectory } from "./script.ts";

/** What a directory is made of. */
export interface KeptOptions {
  /** First part of its name in the cache; it may not end like a key. */
  readonly name: string;
  /** From {@linkcode keyOf}: another key, another directory. */
  readonly key: string;
  /** Fills the directory that it is given. */
  readonly make: (directory: string) => Promise<void>;
}

/** A directory of other keys that nobody asked for in this time is removed; other checkouts and running tests may use theirs. */
const UNUSED_MS = 60 * 60 * 1000;

/** Twelve hex digits for texts, and for the contents of files given as URL. */
export async function keyOf(parts: readonly (string | URL)[]): Promise<string> {
  const hash = new Sha256();
  const encoder = new TextEncoder();
  for (const part of parts) hash.update(part instanceof URL ? await Deno.readFile(part) : encoder.encode(`${part}\0`));
  return hash.digest().toHex().slice(0, 12);
}

async function isThere(path: string): Promise<boolean> {
  try {
    const now = new Date();
    await Deno.utime(path, now, now);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeUnused(ctx: Context, { name, key }: KeptOptions): Promise<void> {
  const cache = cacheDirectory(ctx.env);
  for (const entry of Deno.readDirSync(cache)) {
    if (!entry.name.startsWith(`${name}-`) || !/^[0-9a-f]{12}$/.test(entry.name.slice(name.length + 1))) continue;
    if (entry.name === `${name}-${key}`) continue;
    const { mtime } = await Deno.stat(`${cache}/${entry.name}`);
    if (Date.now() - (mtime?.getTime() ?? 0) > UNUSED_MS) await run(ctx, ["rm", "-rf", "--", `${cache}/${entry.name}`]);
  }
}

/**
 * Gives the directory `NAME-KEY` of the cache and makes it first where it is missing. It is made aside and renamed, which is the commit
 * point: an interrupted run leaves nothing, a power cut a `building-…` directory.
 */
export async function keptDirectory(ctx: Context, options: KeptOptions): Promise<string> {
  const cache = cacheDirectory(ctx.env);
  const kept = `${cache}/${options.name}-${options.key}`;
  if (await isThere(kept)) return kept;
  await Deno.mkdir(cache, { recursive: true });
  // One process makes it, the others wait for that one.
  using lock = await Deno.open(`${cache}/.${options.name}.lock`, { write: true, create: true });
  await lock.lock(true);
  if (await isThere(kept)) return kept;
  const building = await Deno.makeTempDir({ dir: cache, prefix: "building-" });
  try {
    await Deno.mkdir(`${building}/done`);
    await options.make(`${building}/done`);
    await removeUnused(ctx, options);
    await Deno.rename(`${building}/done`, kept);
    return kept;
  } finally {
    await Deno.remove(building, { recursive: true });
  }
}
