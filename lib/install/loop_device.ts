/** A file as a block device. */
import { UserError } from "../sys/errors.ts";
import { LibcError } from "../sys/libc.ts";
import { type AttachedLoop, attachLoopDevice } from "../sys/libc_loop.ts";

/**
 * A loop device over a file, until the end of the block or of this process, and until nothing of it is mounted any more.
 * @throws {UserError} unless it is a regular file, and where there are no loop devices
 */
export async function attachLoop(file: string): Promise<AttachedLoop> {
  const info = await Deno.stat(file).catch((cause) => {
    throw new UserError(`Cannot use "${file}" as a disk`, {
      cause,
      hint: `Make a file of the size that the disk is to have: truncate -s 10G FILE`,
    });
  });
  if (!info.isFile) throw new UserError(`Cannot use "${file}" as a disk with --via-loopback: it is no regular file`);
  try {
    return attachLoopDevice(file);
  } catch (cause) {
    if (!(cause instanceof LibcError)) throw cause;
    throw new UserError(`Cannot attach a loop device to "${file}"`, {
      cause,
      hint: "Run it on the host, or in a container with --privileged -v /dev:/dev",
    });
  }
}
