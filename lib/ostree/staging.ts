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

/** Two descriptors, and which of the 256 shards each directory has. */
export interface StagedObjects {
  readonly staging: number;
  readonly objects: number;
  readonly stagedShards: Uint8Array;
  readonly oldShards: Uint8Array;
}

/**
 * Moves staged objects into `objects/`: whole shards where it has none yet (a first pull), else object by object, as libostree would. Gives
 * whether directories were changed that were there before.
 */
export function publishStaged({ staging, objects, stagedShards, oldShards }: StagedObjects): boolean {
  let changed = false;
  for (let i = 0; i < 256; i++) {
    if (!stagedShards[i]) continue;
    const shard = String.fromCharCode(HEX[2 * i]!, HEX[2 * i + 1]!);
    if (!oldShards[i] && moveWhole(staging, objects, libc.cstr(shard))) continue;
    changed = true;
    moveEach(staging, objects, shard);
  }
  return changed;
}

/** Object by object: the path is put together in one buffer. */
function moveEach(staging: number, objects: number, shard: string): void {
  const path = libc.cstr(`${shard}/${" ".repeat(255)}`);
  const directory = libc.openDirectoryAt(staging, shard);
  try {
    libc.eachName(directory, (bytes, start, end) => {
      for (let i = start; i <= end; i++) path[3 + i - start] = bytes[i]!;
      libc.renameat(staging, path, objects, path);
    });
  } finally {
    libc.close(directory);
  }
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
