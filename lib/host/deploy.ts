/** Deploying an image into a system root that may have nothing yet: `ostree container image deploy`. */
import { ImagePull, type PullOptions } from "../container/pull.ts";
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import type { Deployment } from "../ostree/deployment.ts";
import { staterootArgument } from "../ostree/names.ts";
import { Origin } from "../ostree/origin.ts";
import type { Repo } from "../ostree/repo.ts";
import type { Sysroot } from "../ostree/sysroot.ts";
import type { Context } from "../sys/context.ts";
import { exists } from "../sys/exists.ts";
import { type FetchedImage, type FetchHooks, importBootable } from "./fetch.ts";

/** libostree's and Anaconda's name for the only one there is. */
const DEFAULT_STATEROOT = "default";

/** What is deployed, and how. */
export interface DeployRequest extends FetchHooks {
  /** Where the image comes from. */
  readonly reference: OstreeImageReference;
  /** What the host follows; the same when not given. */
  readonly target?: OstreeImageReference | undefined;
  /** The host is to follow no image: only layers are kept, for the first pull to find. */
  readonly noImage?: boolean;
  /** That of the running system when not given, else "default". */
  readonly stateroot?: string | undefined;
  /** All kernel arguments; those of the deployment before, when not given. */
  readonly kernelArguments?: readonly string[] | undefined;
  /** What the first boot is to have beside those; asked only where the system root does not run. */
  readonly completeKernelArguments?: (facts: KernelArgumentFacts) => Promise<string[]>;
  readonly pull: PullOptions;
}

/** What kernel arguments may depend on. */
export interface KernelArgumentFacts {
  readonly repo: Repo;
  /** That is deployed. */
  readonly commit: string;
  /** The one before, whose arguments were taken over; undefined where they were not. */
  readonly before: string | undefined;
  readonly current: readonly string[];
}

/**
 * Pulls an image and makes it what boots next: at once, or at shutdown where the system root runs. The caller holds the lock. Refused
 * images leave deployments and refs as they were. Commit points: the image's ref, then the swap of the boot loader's entries (or the staged
 * state); a power cut between the two leaves the image, and the stateroot, for the next attempt.
 * @throws {UserError} when the image cannot be fetched, or could not be booted here
 * @throws {GlibError}
 */
export async function deployImage(ctx: Context, sysroot: Sysroot, request: DeployRequest): Promise<FetchedImage> {
  const { report = () => {} } = request;
  const stateroot = request.stateroot ?? sysroot.booted?.stateroot ?? DEFAULT_STATEROOT;
  staterootArgument(stateroot); // refused before anything is fetched
  using repo = sysroot.repo();
  const storeAs = request.noImage ? null : targetOf(request).image;
  await using pull = await ImagePull.open(ctx, repo, request.reference, { ...request.pull, storeAs });
  const fetched = await importBootable(pull, request);
  report({ kind: "step", name: "deploying", index: 0, total: 1 });
  requireStateroot(sysroot, stateroot);
  const merge = mergeDeployment(sysroot, stateroot);
  const tree = {
    stateroot,
    checksum: fetched.image.commit,
    origin: request.noImage ? Origin.parse("") : Origin.forImage(formatOstreeImageReference(targetOf(request))),
    mergeDeployment: merge,
    kernelArguments: sysroot.booted ? request.kernelArguments : await request.completeKernelArguments?.({
      repo,
      commit: fetched.image.commit,
      before: request.kernelArguments ? undefined : merge?.checksum,
      current: request.kernelArguments ?? merge?.kernelArguments ?? [],
    }) ?? request.kernelArguments,
    signal: ctx.signal,
  };
  if (sysroot.booted) await sysroot.stageTree(tree);
  else await sysroot.deployTree(tree);
  sysroot.reload();
  await sysroot.cleanup({ signal: ctx.signal });
  report({ kind: "step-done" });
  return fetched;
}

function targetOf({ target, reference }: DeployRequest): OstreeImageReference {
  return target ?? reference;
}

/** Makes a stateroot unless there is one: a host that is installed has none yet; whoever names a new one on an installed host wants it too. @throws {GlibError} */
export function requireStateroot(sysroot: Sysroot, name: string): void {
  if (!exists(`${sysroot.path === "/" ? "" : sysroot.path}/ostree/deploy/${name}`)) sysroot.initStateroot(name);
}

/** libostree's choice of whose /etc and arguments the next one takes over: the running deployment of this stateroot, else its first one. */
export function mergeDeployment(sysroot: Sysroot, stateroot: string): Deployment | undefined {
  const own = sysroot.deployments().filter((each) => each.stateroot === stateroot && !each.staged);
  return own.find(({ booted }) => booted) ?? own[0];
}
