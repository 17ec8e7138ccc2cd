/** Mounts that end with their block. */
import type { Context } from "./context.ts";
import { run } from "./run.ts";

/** What is mounted, by `mount`'s own words: `-o`, `--bind`, `-t tmpfs`. */
export interface MountOptions {
  readonly words?: readonly string[];
}

/**
 * Mounts `source` at a directory that is there. Disposing unmounts it and all that lies on it, and fails where that fails: what was written
 * may not be on the disk then.
 * @throws {ToolError}
 */
export async function mount(
  ctx: Context,
  source: string,
  target: string,
  { words = [] }: MountOptions = {},
): Promise<AsyncDisposable> {
  await run(ctx, ["mount", ...words, "--", source, target]);
  // After a signal, too.
  const anyway: Context = { ...ctx, signal: new AbortController().signal };
  return { [Symbol.asyncDispose]: () => run(anyway, ["umount", "--recursive", "--", target]) };
}
