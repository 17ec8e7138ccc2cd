/** A file as a block device. */
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { capture, run } from "../sys/run.ts";

/** A loop device over a file, detached at the end of its block. */
export interface LoopDevice extends AsyncDisposable {
  /** `/dev/loop0` */
  readonly path: string;
}

/** @throws {UserError} unless it is a regular file @throws {ToolError} */
export async function attachLoop(ctx: Context, file: string): Promise<LoopDevice> {
  const info = await Deno.stat(file).catch((cause) => {
    throw new UserError(`Cannot use "${file}" as a disk`, {
      cause,
      hint: `Make a file of the size that the disk is to have: truncate -s 10G FILE`,
    });
  });
  if (!info.isFile) throw new UserError(`Cannot use "${file}" as a disk with --via-loopback: it is no regular file`);
  const path = (await capture(ctx, ["losetup", "--find", "--show", "--", file])).trim();
  // After a signal, too.
  const anyway: Context = { ...ctx, signal: new AbortController().signal };
  return { path, [Symbol.asyncDispose]: () => run(anyway, ["losetup", "--detach", path]) };
}
