/** Answers that go to a file which the command line names. */
import { UserError } from "../sys/errors.ts";

/** Writes a whole file; what was in it is gone. A device or pipe (`/dev/stdout`) will do. @throws {UserError} naming the file */
export async function writeOutputFile(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (cause) {
    throw new UserError(`Cannot write "${path}"`, { cause });
  }
}
