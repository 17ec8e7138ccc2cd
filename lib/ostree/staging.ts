/** libostree's staging directory: where a transaction's objects wait, and how they come into `objects/`. */
import * as libc from "../sys/libc.ts";
import { HEX } from "./objects.ts";

/**
 * The transaction's staging directory, opened: this process holds it open, so its name is among our own descriptors.
 * @throws {Error} where libostree keeps it elsewhere
 */
export function openStagingDirectory(tmp: number): number {
  const parent = Deno.statSync(`/proc/self/fd/${tmp}`);
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    let target: string;
    try {
      target = Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue; // the descriptor of this very listing
      throw error;
    }
    const cut = target.lastIndexOf("/");
    const leaf = target.slice(cut + 1);
    if (!leaf.startsWith("staging-") || leaf.endsWith("-lock") || !target.slice(0, cut).endsWith("/tmp")) continue;
    const above = Deno.statSync(`/proc/self/fd/${name}/..`);
    if (above.dev !== parent.dev || above.ino !== parent.ino) continue;
    return libc.openDirectoryAt(tmp, leaf);
  }
  throw new Error("No staging directory of libostree can be found");
}

/** A shard that has this many times the objects staged that it had before is exchanged as a whole. */
const EXCHANGE_RATIO = 8;

/** Two descriptors, and which of the 256 shards each directory has. */
export interface StagedObjects {
  readonly staging: number;
  readonly objects: number;
  readonly stagedShards: Uint8Array;
  readonly oldShards: Uint8Array;
  /** How many objects this transaction has put into each shard. */
  readonly stagedCounts: Uint32Array;
}

/**
 * Moves staged objects into `objects/`: whole shards where it has none yet (a first pull), else object by object, as libostree would. Gives
 * whether directories were changed that were there before.
 */
export function publishStaged({ staging, objects, stagedShards, oldShards, stagedCounts }: StagedObjects): boolean {
  let changed = false;
  for (let i = 0; i < 256; i++) {
    if (!stagedShards[i]) continue;
    const shard = String.fromCharCode(HEX[2 * i]!, HEX[2 * i + 1]!);
    if (!oldShards[i] && moveWhole(staging, objects, libc.cstr(shard))) continue;
    changed = true;
    if (stagedCounts[i]! >= EXCHANGE_RATIO) exchange(staging, objects, { shard, staged: stagedCounts[i]! });
    moveEach(staging, objects, shard);
  }
  return changed;
}

/**
 * Gives the few objects that `objects/` has in a shard second names in the staged one, and lets the directories change places: 200,000 new
 * objects in a repository of 500 cost 500 links instead of 200,000 renames. At every moment `objects/` has all that it had. What another
 * process adds in between is in the old directory, whose entries {@linkcode moveEach} brings over (of a linked one that does nothing).
 * Where the file system cannot exchange names nothing is changed.
 */
function exchange(staging: number, objects: number, { shard, staged }: { shard: string; staged: number }): void {
  const path = libc.cstr(`${shard}/${" ".repeat(255)}`);
  const directory = libc.openDirectoryAt(objects, shard);
  let old = 0;
  try {
    libc.eachName(directory, () => old++);
    if (old * EXCHANGE_RATIO > staged) return;
  } finally {
    libc.close(directory);
  }
  eachPath(objects, shard, path, () => libc.linkat(objects, path, staging, path));
  const name = libc.cstr(shard);
  libc.exchangeAt(staging, name, objects, name);
}

/** Puts each name of a shard into `path`, behind `xx/`, and calls back. */
function eachPath(parent: number, shard: string, path: libc.Bytes, visit: () => void): void {
  const directory = libc.openDirectoryAt(parent, shard);
  try {
    libc.eachName(directory, (bytes, start, end) => {
      for (let i = start; i <= end; i++) path[3 + i - start] = bytes[i]!;
      visit();
    });
  } finally {
    libc.close(directory);
  }
}

/** Object by object: the path is put together in one buffer. */
function moveEach(staging: number, objects: number, shard: string): void {
  const path = libc.cstr(`${shard}/${" ".repeat(255)}`);
  eachPath(staging, shard, path, () => libc.renameat(staging, path, objects, path));
}

/** False where another process has made the shard meanwhile. */
function moveWhole(staging: number, objects: number, shard: libc.Bytes): boolean {
  try {
    libc.renameat(staging, shard, objects, shard);
    return true;
  } catch (error) {
    if (error instanceof libc.LibcError && (error.errno === libc.ENOTEMPTY || error.errno === libc.EEXIST)) {
      return false;
    }
    throw error;
  }
}
