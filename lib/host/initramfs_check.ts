/** Refuses images that would deploy, and then panic or stop in the initramfs. Source: platform.md 5.2. */
import { CommitTree } from "../ostree/commit_tree.ts";
import type { Repo } from "../ostree/repo.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { findKernel } from "./bootable.ts";
import { ofCommit } from "./damage.ts";
import { driverPattern, PREPARE_ROOT, searchInitramfs } from "./initramfs.ts";

const BUILTIN_MAX_BYTES = 1 << 20;

/** What the initramfs will meet. */
export interface InitramfsNeeds {
  /** Type of the root's file system, as the kernel names it; undefined where that is not known. */
  readonly rootFileSystem?: string | undefined;
}

/**
 * Looks into the initramfs of a stored image for what finds an ostree root, and for the driver of the root's file system where the kernel has
 * none built in. One that cannot be read, and a kernel that does not say what is built in, are not judged.
 * @throws {UserError} @throws {Interrupted}
 */
export async function requireInitramfs(
  ctx: Context,
  { repo, commit }: { repo: Repo; commit: string },
  { rootFileSystem }: InitramfsNeeds,
): Promise<void> {
  const tree = ofCommit(commit, () => new CommitTree(repo, commit));
  const { directory } = await findKernel((path) => ofCommit(commit, () => tree.list(path)));
  const driver = rootFileSystem !== undefined && await isModule(tree, directory, rootFileSystem)
    ? [driverPattern(rootFileSystem)]
    : [];
  const path = `${directory}/initramfs.img`;
  using file = tree.openFile(path);
  if (!file) return;
  const [ostree, drivers] = await searchInitramfs((buffer) => file.read(buffer), [PREPARE_ROOT, ...driver], ctx.signal);
  if (ostree === false) {
    throw new UserError(`Image has an initramfs that cannot find an ostree root: no ostree-prepare-root in "${path}"`, {
      hint: "Run dracut with ostree's module when the image is built: dracut --add ostree",
    });
  }
  if (drivers === false) {
    throw new UserError(
      `Image has an initramfs that cannot mount a root on ${rootFileSystem}: no driver in "${path}"`,
      {
        hint: `Run dracut with it when the image is built: dracut --add-drivers ${rootFileSystem}`,
      },
    );
  }
}

/** Whether the kernel says what is built in, and this is not. */
async function isModule(tree: CommitTree, directory: string, fileSystem: string): Promise<boolean> {
  const bytes = await tree.readFile(`${directory}/modules.builtin`, BUILTIN_MAX_BYTES);
  return bytes !== undefined &&
    !new TextDecoder().decode(bytes).split("\n").some((line) => line.endsWith(`/${fileSystem}.ko`));
}
