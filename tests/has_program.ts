/** Programs that only some machines have: a test that needs one is ignored elsewhere. */
import { plainContext } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";
import { run } from "../lib/sys/run.ts";

/** Whether a program is there and knows `--version`. */
export async function hasProgram(name: string): Promise<boolean> {
  try {
    await run(plainContext(Deno.env.toObject()), [name, "--version"]);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
