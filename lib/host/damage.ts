/** What a damaged repository gives, said so that one knows which commit to look at. */
import { GlibError } from "../ostree/glib.ts";
import { UserError } from "../sys/errors.ts";

/** Whether this is how reading of stored objects fails when they are damaged or gone. */
export function isDamage(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof RangeError || error instanceof GlibError;
}

/**
 * Reads something of a stored commit.
 * @throws {UserError} naming the commit, where it or an object of it is damaged
 */
export function ofCommit<Value>(checksum: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!isDamage(cause)) throw cause;
    throw new UserError(`Cannot read the commit "${checksum}"`, {
      cause,
      hint: "See what is damaged with `ostree fsck`; `bootc rollback` leads to the deployment before",
    });
  }
}
