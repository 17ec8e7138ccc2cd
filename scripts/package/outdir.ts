/** Where packages are put: each file whole, or not at all. */
import { UserError } from "../../lib/sys/errors.ts";
import { type ScratchDirectory, scratchDirectory } from "../script.ts";

/** A scratch directory beside nothing else; gone at the end of the block. Large files go there, so it is on a disk. @throws {UserError} */
export async function workDirectory(env: Readonly<Record<string, string>>): Promise<ScratchDirectory> {
  const directory = await scratchDirectory("bootc-package-", env.TMPDIR || "/var/tmp");
  // Tests start what was built as another user.
  await Deno.chmod(directory.path, 0o755);
  return directory;
}

/**
 * Copies finished files into a directory, which is made where it is missing, and gives their paths there. Each gets its name when it is
 * whole; a power cut leaves a `.partial` file at most.
 * @throws {UserError} when the directory cannot be written
 */
export async function deliver(files: readonly string[], outdir: string): Promise<string[]> {
  const delivered: string[] = [];
  try {
    await Deno.mkdir(outdir, { recursive: true });
    for (const file of files) {
      const target = `${outdir}/${file.slice(file.lastIndexOf("/") + 1)}`;
      await deliverFile(file, target);
      delivered.push(target);
    }
  } catch (cause) {
    throw new UserError(`Cannot write packages to "${outdir}"`, {
      cause,
      hint: "Give a directory that you may write to --outdir",
    });
  }
  return delivered;
}

async function deliverFile(file: string, target: string): Promise<void> {
  // Another run may be at the same file.
  const aside = `${target}.${crypto.randomUUID().slice(0, 8)}.partial`;
  try {
    await Deno.copyFile(file, aside);
    await Deno.rename(aside, target);
  } catch (error) {
    await Deno.remove(aside).catch(() => {});
    throw error;
  }
}
