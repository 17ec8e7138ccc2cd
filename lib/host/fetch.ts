/** Bringing an image into a host's repository, with the checks that an operating system's image must pass. */
import { cacheUpdate, type ImageDescription, imageOfCommit, type StoredImage } from "../container/images.ts";
import { tidyLayers } from "../container/gc.ts";
import { imageRef } from "../container/refs.ts";
import type { PullPlan } from "../container/plan.ts";
import { ImagePull, type PreparedPull, type PulledImage, type PullOptions } from "../container/pull.ts";
import { hostPullOptions } from "../container/pull_options.ts";
import { CommitTree } from "../ostree/commit_tree.ts";
import { ProxyLaunch } from "../skopeo/copy.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { formatImageReference, formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { VERSION } from "../version.ts";
import { checkImageConfig } from "./bootable.ts";
import { isDamage, ofCommit } from "./damage.ts";
import { type InitramfsNeeds, requireInitramfs } from "./initramfs_check.ts";
import { requireKernel } from "./queue.ts";
import { fileSystemAt } from "./read_mounts.ts";
import type { HostChoice, HostSession } from "./session.ts";
import { treeNotices } from "./tree_notices.ts";

/** How the caller hears of what goes on. */
export interface FetchHooks {
  readonly report?: ReportProgress;
  /** Called once it is known what will be fetched. */
  readonly onPlan?: (plan: PullPlan) => void;
  /** A remark about the image that stops nothing. */
  readonly onNotice?: (line: string) => void;
}

/** How a host's image is fetched. */
export interface FetchOptions extends FetchHooks {
  /** A proxy that {@linkcode launchProxy} has started. */
  readonly launched?: ProxyLaunch;
}

/** What a fetch found. */
export interface FetchedImage {
  readonly image: StoredImage;
  /** The registry had nothing that was not stored already. */
  readonly unchanged: boolean;
  /** What the import said; undefined when nothing was imported. */
  readonly pulled: PulledImage | undefined;
}

/** What a look at the registry found. */
export type UpdateCheck = { readonly kind: "unchanged" } | {
  readonly kind: "available";
  readonly update: ImageDescription;
};

/** How a host's images are opened: its own logins and policy. */
async function openOptions(ctx: Context, root: string): Promise<PullOptions> {
  return { ...await hostPullOptions(ctx, {}, root), userAgentPrefix: `bootc/${VERSION}` };
}

/** Starts skopeo before the host is read, which takes as long; for {@linkcode FetchOptions}. */
export async function launchProxy(ctx: Context, { sysroot }: HostChoice): Promise<ProxyLaunch> {
  return await ProxyLaunch.begin(ctx, await openOptions(ctx, sysroot ?? "/"));
}

async function open(
  session: HostSession,
  reference: OstreeImageReference,
  { launched }: FetchOptions,
): Promise<ImagePull> {
  requireStorableName(reference);
  const options = await openOptions(session.ctx, session.root);
  try {
    return await ImagePull.open(session.ctx, session.repo, reference, { ...options, launched });
  } catch (cause) {
    if (!isDamage(cause)) throw cause;
    throw new UserError(`Cannot read image "${formatImageReference(reference.image)}"`, {
      cause,
      hint: "Its manifest is wrong, or what is stored of it is damaged: see `ostree fsck`",
    });
  }
}

/** Of a name in a directory, on every Linux file system; the image's ref is such a name. */
const NAME_MAX_BYTES = 255;

/** @throws {UserError} when no ref could be set for an image, which is better known before it is fetched */
function requireStorableName({ image }: OstreeImageReference): void {
  const bytes = Math.max(...imageRef(image).split("/").map((name) => name.length)); // escaped: ASCII only
  if (bytes <= NAME_MAX_BYTES) return;
  throw new UserError(`The name of image "${formatImageReference(image)}" is too long to be stored`, {
    hint: `Use a shorter name: escaped, it takes ${bytes} bytes of ${NAME_MAX_BYTES}`,
  });
}

/** Says which image it is that could not be booted. @throws {UserError} */
async function ofImage<Result>(pull: ImagePull, check: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await check();
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`Cannot boot "${formatOstreeImageReference(pull.reference)}"`, { cause, hint: cause.hint });
  }
}

async function prepare(pull: ImagePull, options: FetchHooks): Promise<PreparedPull> {
  const prepared = await pull.prepare();
  const notices = await ofImage(pull, () => checkImageConfig(prepared.image.config));
  for (const notice of notices) options.onNotice?.(notice);
  return prepared;
}

/** Deployments' commits that hold this reference's image: `status` shows the update beside each of them. */
function remember(
  session: HostSession,
  reference: OstreeImageReference,
  previous: StoredImage | undefined,
  update: ImageDescription | undefined,
): void {
  const { current, repo } = session;
  const commits = new Set(previous ? [previous.commit] : []);
  if (
    current.origin?.imageReference === formatOstreeImageReference(reference) &&
    imageOfCommit(current.checksum, repo.loadCommit(current.checksum))
  ) {
    commits.add(current.checksum);
  }
  for (const commit of commits) cacheUpdate(repo, commit, update);
}

/**
 * Looks whether the registry has another image than the one stored, without fetching a layer; keeps what it found for `status`.
 * @throws {UserError} when the image there could not be booted here
 */
export async function checkForUpdate(
  session: HostSession,
  reference: OstreeImageReference,
  options: FetchOptions,
): Promise<UpdateCheck> {
  await using pull = await open(session, reference, options);
  const { repo, current } = session;
  const now = ofCommit(current.checksum, () => imageOfCommit(current.checksum, repo.loadCommit(current.checksum)));
  if (pull.unchanged || now?.digest === pull.digest) {
    remember(session, reference, pull.previous, undefined);
    return { kind: "unchanged" };
  }
  const { image } = await prepare(pull, options);
  remember(session, reference, pull.previous, image);
  return { kind: "available", update: image };
}

/**
 * Imports an opened image and makes sure that it can boot. Commit point: the image's ref (see `ImagePull`); a refused image leaves the refs as
 * they were.
 * @throws {UserError} when it cannot be fetched, or could not be booted here
 */
export async function importBootable(
  pull: ImagePull,
  hooks: FetchHooks,
  needs: InitramfsNeeds = {},
): Promise<FetchedImage> {
  const { repo, previous } = pull;
  if (pull.unchanged && previous) {
    await ofImage(pull, async () => {
      if (previous.config) checkImageConfig(previous.config);
      await requireKernel(repo, previous.commit);
    });
    return { image: previous, unchanged: true, pulled: undefined };
  }
  const prepared = await prepare(pull, hooks);
  hooks.onPlan?.(prepared.plan);
  const pulled = await pull.import(prepared, hooks.report);
  try {
    await ofImage(pull, async () => {
      await requireKernel(repo, pulled.image.commit);
      await requireInitramfs(pull.ctx, { repo, commit: pulled.image.commit }, needs);
    });
  } catch (error) {
    if (pull.storedAs) repo.setRef(imageRef(pull.storedAs), previous?.commit ?? null);
    tidyLayers(pull.ctx, repo);
    throw error;
  }
  for (const notice of await treeNotices(new CommitTree(repo, pulled.image.commit))) hooks.onNotice?.(notice);
  return { image: pulled.image, unchanged: false, pulled };
}

/** Fetches the image that a host is to follow; as {@linkcode importBootable}. @throws {UserError} */
export async function fetchImage(
  session: HostSession,
  reference: OstreeImageReference,
  options: FetchOptions,
): Promise<FetchedImage> {
  await using pull = await open(session, reference, options);
  const rootFileSystem = session.live
    ? fileSystemAt(await Deno.readTextFile("/proc/self/mountinfo"), "/sysroot")
    : undefined;
  return await importBootable(pull, options, { rootFileSystem });
}
