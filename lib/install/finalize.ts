/** What is done to a file system that was installed on, before it is unmounted. */
import type { Context } from "../sys/context.ts";
import { ToolError } from "../sys/errors.ts";
import { run } from "../sys/run.ts";

/**
 * Gives unused blocks back, and brings everything to the disk: the journal is empty afterwards, so that a boot loader that cannot replay one
 * reads what is there. The file system is read-only then.
 * @throws {ToolError}
 */
export async function finalize(ctx: Context, root: string): Promise<void> {
  try {
    await run(ctx, ["fstrim", "--", root]);
  } catch (error) {
    // A disk or file system that cannot: it costs room in an image file, nothing else.
    if (!(error instanceof ToolError)) throw error;
  }
  await run(ctx, ["mount", "-o", "remount,ro", "--", root]);
  await run(ctx, ["fsfreeze", "--freeze", "--", root]);
  await run(ctx, ["fsfreeze", "--unfreeze", "--", root]);
}
