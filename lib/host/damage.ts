/** What libostree and a damaged repository say, said so that one knows what was being done, to which thing, and what to do next. */
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

/** G_IO_ERROR_NO_SPACE */
const NO_SPACE = 12;

/**
 * Says what was being done where libostree fails to change the boot order.
 * @throws {UserError} for each {@linkcode GlibError}
 */
export async function changing<Value>(doing: string, change: () => Promise<Value>): Promise<Value> {
  try {
    return await change();
  } catch (cause) {
    if (!(cause instanceof GlibError)) throw cause;
    const full = cause.domain === "g-io-error-quark" && cause.code === NO_SPACE;
    throw new UserError(doing, {
      cause,
      hint: full ? "Free space in /boot and in the system root, then run it again" : undefined,
    });
  }
}
