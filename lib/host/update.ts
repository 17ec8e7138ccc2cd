/** Moving a host to the newest image of a reference, or to another reference. */
import { imageRef } from "../container/refs.ts";
import { imageOfCommit, type StoredImage } from "../container/images.ts";
import { UserError } from "../sys/errors.ts";
import { ofCommit } from "./damage.ts";
import { type FetchedImage, fetchImage, type FetchOptions } from "./fetch.ts";
import { noProgress, type ProgressSink, stagingEvent } from "./progress_json.ts";
import { queueImage, settle } from "./queue.ts";
import type { HostSession } from "./session.ts";
import type { ImageReference } from "./spec.ts";
import { lockStaged } from "./staged_record.ts";
import { imageText, ostreeImage } from "./spec_image.ts";

/** How a host is moved. */
export interface MoveOptions extends FetchOptions {
  /** `--download-only`: staged, but not applied at shutdown. */
  readonly locked?: boolean;
  /** Drop the refs that kept what the host followed before. */
  readonly forget?: boolean;
  /** Machine-readable progress. */
  readonly sink?: ProgressSink;
  /** Told of the image that is about to be queued, before anything of the host is changed. */
  readonly beforeQueue?: (image: StoredImage) => Promise<void>;
}

/** What became of an update. */
export type UpdateOutcome =
  /** The image boots next. */
  | { readonly kind: "queued" }
  /** It was staged already; whether its finalization lock was changed. */
  | { readonly kind: "already-queued"; readonly lock: "set" | "released" | undefined }
  /** The host runs it, or boots it next. */
  | { readonly kind: "current" };

/** What the host follows. @throws {UserError} when it follows no image, or only rpm-ostree may change it */
export function trackedImage({ host }: HostSession): ImageReference {
  const { booted, staged, otherDeployments } = host.status;
  if ([booted, staged, booted ? null : otherDeployments[0] ?? null].some((entry) => entry?.incompatible)) {
    throw new UserError("Deployment contains local rpm-ostree modifications; cannot upgrade via bootc", {
      hint: "You can run `rpm-ostree reset` to undo the modifications",
    });
  }
  if (host.spec.image === null) {
    throw new UserError("No image source specified", { hint: "Run `bootc switch IMAGE` to follow an image" });
  }
  return host.spec.image;
}

/** The image that the current deployment was made of. @throws {UserError} when its commit is damaged */
export function currentImage({ repo, current: { checksum } }: HostSession): StoredImage | undefined {
  return ofCommit(checksum, () => imageOfCommit(checksum, repo.loadCommit(checksum)));
}

/**
 * Fetches the newest image of a reference and queues it unless it is there already. Commit points: those of `fetchImage()` and
 * `queueImage()`; a power cut before the second leaves the old deployments and finished layers.
 * @throws {UserError}
 */
export async function updateHost(
  session: HostSession,
  target: ImageReference,
  options: MoveOptions,
): Promise<{ fetched: FetchedImage; outcome: UpdateOutcome }> {
  const fetched = await fetchImage(session, ostreeImage(target), options);
  const { digest } = fetched.image;
  const staged = session.sysroot.staged;
  const stagedDigest = session.host.status.staged?.image?.imageDigest;
  if (staged && stagedDigest === digest) {
    const wanted = options.locked ?? false;
    if (staged.finalizationLocked === wanted) return { fetched, outcome: { kind: "already-queued", lock: undefined } };
    await lockStaged(session, wanted);
    return { fetched, outcome: { kind: "already-queued", lock: wanted ? "set" : "released" } };
  }
  if (currentImage(session)?.digest === digest) return { fetched, outcome: { kind: "current" } };
  await moveHost(session, target, fetched.image, options);
  return { fetched, outcome: { kind: "queued" } };
}

/** Queues a fetched image, cleans up and tells who listens; commit point: that of `queueImage()`. @throws {UserError} */
export async function moveHost(
  session: HostSession,
  target: ImageReference,
  image: StoredImage,
  options: MoveOptions,
): Promise<void> {
  const { sink = noProgress, locked = false, report } = options;
  await options.beforeQueue?.(image);
  sink.send(stagingEvent(image.digest, "merging"));
  sink.send(stagingEvent(image.digest, "deploying"));
  await queueImage(session, { image, reference: ostreeImage(target), locked, ...(report && { report }) });
  if (options.forget) forgetPrevious(session, target);
  sink.send(stagingEvent(image.digest, "bound_images"));
  sink.send(stagingEvent(image.digest, "cleanup"));
  await settle(session, {
    digest: image.digest,
    image: imageText(target),
    locked,
    message: `Queued ${imageText(target)} (${image.digest}) for the next boot`,
  });
  sink.send(stagingEvent(image.digest, "done"));
}

/** Drops the refs that kept what the host followed before: its image's, or that of a plain ostree system. Its deployment keeps the commit. */
function forgetPrevious(session: HostSession, target: ImageReference): void {
  const { repo, current, host } = session;
  const refspec = current.origin?.refspec;
  if (refspec !== undefined && !refspec.includes(":")) repo.setRef(refspec, null);
  const before = host.spec.image;
  if (before === null) return;
  const ref = imageRef(ostreeImage(before).image);
  if (ref !== imageRef(ostreeImage(target).image) && repo.resolve(ref) !== undefined) repo.setRef(ref, null);
}
