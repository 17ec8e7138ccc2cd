/** libostree's lock on a repository, held across transactions: each of them takes it by itself only until it ends. */
import { checked } from "./glib.ts";
import { ostree } from "./libostree.ts";
import type { Repo } from "./repo.ts";

const SHARED = 0;

/**
 * Keeps every process from pruning until it is disposed of; waits while one prunes (`core.lock-timeout-secs`).
 * @throws {GlibError} when the lock cannot be had
 */
export function keepFromPruning(repo: Repo): Disposable {
  checked((error) => ostree().ostree_repo_lock_push(repo.handle, SHARED, null, error));
  return {
    [Symbol.dispose]: () => checked((error) => ostree().ostree_repo_lock_pop(repo.handle, SHARED, null, error)),
  };
}
