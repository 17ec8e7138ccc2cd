/** Where packages are put: each file whole, or not at all. */
import { UserError } from "../../lib/sys/errors.ts";

/** A scratch directory beside nothing else; gone at the end of the block. Large files go there, so it is on a disk. */
export async function workDirectory(
  env: Readonly<Record<string, string>>,
): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ dir: env.TMPDIR || "/var/tmp", prefix: "bootc-package-" });
  // Tests start what was built as another user.
  await Deno.chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/**
 * Copies finished files into a directory, which is made where it is missing, and gives their paths there. Each gets its name when it is
 * whole; a cut leaves a `.partial` file at most.
 * @throws {UserError} when the directory cannot be written
 */
export async function deliver(files: readonly string[], outdir: string): Promise<string[]> {
  const delivered: string[] = [];
  try {
    await Deno.mkdir(outdir, { recursive: true });
    for (const file of files) {
      const target = `${outdir}/${file.slice(file.lastIndexOf("/") + 1)}`;
      await Deno.copyFile(file, `${target}.partial`);
      await Deno.rename(`${target}.partial`, target);
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
