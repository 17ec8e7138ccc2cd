/** Making an image the host's next one: kernel arguments, origin, the deployment itself, and what is cleaned up and told afterwards. */
import type { StoredImage } from "../container/images.ts";
import { tidyLayers } from "../container/gc.ts";
import { removeOtherImages } from "../container/remove.ts";
import { UserError } from "../sys/errors.ts";
import { deployedImages } from "./deployed_images.ts";
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import { CommitTree } from "../ostree/commit_tree.ts";
import { GlibError } from "../ostree/glib.ts";
import { Origin } from "../ostree/origin.ts";
import type { Repo } from "../ostree/repo.ts";
import type { Sysroot } from "../ostree/sysroot.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { findKernel } from "./bootable.ts";
import { changing, ofCommit } from "./damage.ts";
import { applyKargs, diffKargs, readKargsD } from "./kargs.ts";
import { bumpGeneration, markRebootRequired, tellJournal } from "./notify.ts";
import type { HostSession } from "./session.ts";
import { dropSoftReboot } from "./soft_reboot.ts";
import { rememberStaged } from "./staged_record.ts";

const KARGS_FILE_MAX_BYTES = 1 << 20;

/** What is queued, and how. */
export interface QueueRequest {
  readonly image: StoredImage;
  /** What the host follows from now on. */
  readonly reference: OstreeImageReference;
  /** Staged, but not applied at shutdown until someone says so. */
  readonly locked?: boolean;
  readonly report?: ReportProgress;
}

/** Refuses a stored image that has no kernel, more than one, or no initramfs. @throws {UserError} */
export async function requireKernel(repo: Repo, commit: string): Promise<void> {
  const tree = ofCommit(commit, () => new CommitTree(repo, commit));
  await findKernel((path) => ofCommit(commit, () => tree.list(path)));
}

/** The kernel arguments that a commit asks for. @throws {UserError} naming the file that cannot be read */
export async function kargsOf(repo: Repo, commit: string): Promise<string[]> {
  const tree = ofCommit(commit, () => new CommitTree(repo, commit));
  return await readKargsD(async (directory) => {
    const out: [string, string][] = [];
    for (const { name, kind } of ofCommit(commit, () => tree.list(directory)) ?? []) {
      const bytes = kind === "file" ? await tree.readFile(`${directory}/${name}`, KARGS_FILE_MAX_BYTES) : undefined;
      if (bytes) out.push([name, new TextDecoder().decode(bytes)]);
    }
    return out;
  });
}

/** The same of what is deployed now; none with a warning where it cannot be read, since only an update leads away from such an image. */
async function kargsOfCurrent({ repo, current, ctx }: HostSession): Promise<string[]> {
  try {
    return await kargsOf(repo, current.checksum);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, cause } = error;
    ctx.note(`warning: No kernel argument is removed: ${message}${cause instanceof Error ? `: ${cause.message}` : ""}`);
    return [];
  }
}

/**
 * Queues an image for the next boot: staged on a running host, deployed at once on any other. The kernel arguments are the current
 * deployment's with the difference of both images' kargs.d; its origin is kept but for the image. Commit point: libostree's, of the staged
 * state or of the boot entries; before it the old deployments stand as they were.
 * @throws {UserError} when the image's kargs.d cannot be read, or libostree fails to deploy it
 */
export async function queueImage(session: HostSession, request: QueueRequest): Promise<void> {
  const { sysroot, repo, current, live, ctx } = session;
  const { image, reference, report = () => {} } = request;
  report({ kind: "step", name: "deploying", index: 0, total: 1 });
  const change = diffKargs(await kargsOfCurrent(session), await kargsOf(repo, image.commit));
  const origin = current.origin?.copyForDeployment() ?? Origin.forImage("");
  origin.imageReference = formatOstreeImageReference(reference);
  const tree = {
    stateroot: current.stateroot,
    checksum: image.commit,
    origin,
    mergeDeployment: current,
    kernelArguments: applyKargs(current.kernelArguments, change),
    signal: ctx.signal,
  };
  if (live) await dropSoftReboot(ctx);
  await changing(`Cannot deploy "${origin.imageReference}"`, async () => {
    try {
      if (live) await sysroot.stageTree({ ...tree, locked: request.locked ?? false });
      else await sysroot.deployTree(tree);
    } catch (error) {
      if (error instanceof GlibError) await removeHalfMade(sysroot);
      throw error;
    }
  });
  sysroot.reload();
  report({ kind: "step-done" });
}

/** A half-made deployment takes space, and each attempt makes one of its own; the failure before this one is the one to tell. */
async function removeHalfMade(sysroot: Sysroot): Promise<void> {
  try {
    await sysroot.cleanup({ pruneRepo: false });
  } catch (error) {
    if (!(error instanceof GlibError)) throw error;
  }
}

/** Removes what nothing needs any more, remembers what is staged, and tells who listens. Safe to repeat. */
export async function settle(
  session: HostSession,
  change: { digest: string; image: string; locked: boolean; message: string },
): Promise<void> {
  const { sysroot, repo, ctx, live } = session;
  forgetUndeployed(session);
  tidyLayers(ctx, repo);
  await sysroot.cleanup({ signal: ctx.signal });
  if (live) await rememberStaged(session, change);
  await bumpGeneration(ctx, sysroot.path);
  if (!live) return;
  await markRebootRequired(change.digest);
  await tellJournal(ctx, { id: "stage", message: change.message, fields: { "bootc.image.digest": change.digest } });
}

/** Images that no deployment follows go; all stay where an origin cannot be read, since it may name any of them. */
function forgetUndeployed({ sysroot, repo, ctx }: HostSession): void {
  try {
    removeOtherImages(repo, deployedImages(sysroot));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    ctx.note(`warning: No image is removed: ${error.message}`);
  }
}
