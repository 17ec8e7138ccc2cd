/**
 * What makes an installation by ostree alone (Anaconda's `ostreecontainer`) one of ours: the kernel arguments that the image asks for. Bound
 * images would be fetched here too, once there are any. Source: row I11, formats.md 3.8.
 */
import { type KernelArgumentFacts, mergeDeployment } from "../host/deploy.ts";
import { applyKargs, diffKargs } from "../host/kargs.ts";
import { kargsOf } from "../host/queue.ts";
import { CommitTree } from "../ostree/commit_tree.ts";
import type { Repo } from "../ostree/repo.ts";
import type { Sysroot } from "../ostree/sysroot.ts";
import { UserError } from "../sys/errors.ts";
import { exists } from "../sys/exists.ts";
import { writeAll } from "../sys/libc.ts";
import { replaceFile } from "../sys/replace_file.ts";
import { configOfImage } from "./image_config.ts";
import { addKargs, deleteKargs } from "./kargs.ts";

/** In /run of the system that installs: it was done. */
export const RECONCILED = "run/bootc-install-reconciled";

/** In /run of Anaconda's system. */
const ANACONDA = "run/anaconda";

/** The arguments of a first deployment, after its image's configuration and kargs.d. @throws {UserError} naming the file that cannot be read */
async function askedFor(repo: Repo, commit: string): Promise<string[]> {
  const config = await configOfImage(new CommitTree(repo, commit));
  return deleteKargs(addKargs([], [...config.kargs, ...await kargsOf(repo, commit)]), config.kargDeletes);
}

/**
 * For {@linkcode DeployRequest.completeKernelArguments}: what the image asks for behind what is there; of an image that replaces another, the
 * difference of both.
 * @throws {UserError} naming the file that cannot be read
 */
export async function completedKargs({ repo, commit, before, current }: KernelArgumentFacts): Promise<string[]> {
  if (before === undefined) return addKargs(current, await askedFor(repo, commit));
  return applyKargs(current, diffKargs(await kargsOf(repo, before), await kargsOf(repo, commit)));
}

/**
 * Adds what the image asks for to the boot entry of the deployment that runs or boots next, where it is missing; says what was added. Commit point: the
 * rename of that entry. The caller holds the lock.
 * @throws {UserError} when nothing is deployed, or the image cannot be read
 */
export async function completeInstallation(sysroot: Sysroot, stateroot?: string): Promise<string[]> {
  const deployment = stateroot === undefined
    ? sysroot.booted ?? sysroot.deployments()[0]
    : mergeDeployment(sysroot, stateroot);
  if (!deployment) {
    throw new UserError(`Failed to find a deployment${stateroot === undefined ? "" : ` of "${stateroot}"`}`, {
      hint: "Deploy an image first: ostree container image deploy",
    });
  }
  using repo = sysroot.repo();
  const before = deployment.kernelArguments;
  const after = addKargs(before, await askedFor(repo, deployment.checksum));
  if (after.length > before.length) sysroot.setKernelArguments(deployment, after);
  return after.slice(before.length);
}

/** Whether it was done in the system whose root is a directory. */
export function isReconciled(root: string): boolean {
  return exists(`${root}/${RECONCILED}`);
}

/** Says that it was done, to whoever asks in that system: `ensure-completion`, also the reference's. */
export async function markReconciled(root: string): Promise<void> {
  await replaceFile(`${root}/${RECONCILED}`, (fd) => writeAll(fd, new Uint8Array(0)), { mode: 0o644 });
}

/** The same where Anaconda runs; elsewhere nobody asks. */
export async function markForAnaconda(root: string): Promise<void> {
  if (exists(`${root}/${ANACONDA}`)) await markReconciled(root);
}
