/** The right to mount, which only some machines give: a test that needs it is ignored elsewhere. */
import { requireMounts } from "../scripts/demo/chroot.ts";
import { plainContext } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";

/** Whether mounts of our own can be made: not without root, in most containers, or in a chroot into a plain directory. */
export async function mayMount(): Promise<boolean> {
  try {
    await requireMounts(plainContext(Deno.env.toObject()));
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
