/** Temporary directories for tests: gone at the end of the block, immutable deployments and all. */

/** A directory of its own. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
}

/** Makes a temporary directory; `on` chooses a file system by path (tmpfs in /dev/shm where there is one). */
export async function tempDir(on?: string): Promise<TempDir> {
  const path = await Deno.makeTempDir({ prefix: "bootc-test-", ...(on === undefined ? {} : { dir: on }) });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}
