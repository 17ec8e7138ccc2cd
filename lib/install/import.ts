/** The half of an installation that brings the image in, and finds out from it how it is to be deployed and booted. */
import { ImagePull, openImage } from "../container/pull.ts";
import type { ListTree } from "../host/bootable.ts";
import { type FetchedImage, importBootable } from "../host/fetch.ts";
import { kargsOf } from "../host/queue.ts";
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import { CommitTree } from "../ostree/commit_tree.ts";
import type { Repo } from "../ostree/repo.ts";
import { Sysroot } from "../ostree/sysroot.ts";
import { requireSignaturePolicy } from "../skopeo/policy.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import type { AlephSelinux } from "./aleph.ts";
import { bootFiles, type BootLoader } from "./boot/boot_loader.ts";
import { chooseBootLoader, ostreeBootloader } from "./boot/choose.ts";
import { BOUND_IMAGES_DIRECTORY, requireNoBoundImages } from "./bound_images.ts";
import { chooseBlockSetup, type InstallConfig } from "./config.ts";
import { configOfImage } from "./image_config.ts";
import type { InstallRequest, InstallTarget } from "./install.ts";
import { installKargs, refuseUnsafeKargs } from "./kargs.ts";
import { selinuxState } from "./labels.ts";

/** What an image is to be deployed with. */
export interface Imported {
  readonly fetched: FetchedImage;
  readonly loader: BootLoader;
  readonly stateroot: string;
  /** What the host follows. */
  readonly follows: OstreeImageReference;
  readonly bootMountSpec: string | undefined;
  readonly kernelArguments: string[];
  readonly selinux: AlephSelinux;
  readonly blsAppendExceptDefault: string | undefined;
  /** The root is found by the type of its partition. */
  readonly discoverable: boolean;
}

const DEFAULT_STATEROOT = "default";

/**
 * Brings the layers into the repository of a system root. What the operator says comes before what the configuration says. Commit point: the
 * image's ref.
 * @throws {UserError} when the image cannot be fetched, could not boot, or wants what is not done to this target
 */
export async function importInto(ctx: Context, target: InstallTarget, request: InstallRequest): Promise<Imported> {
  using sysroot = Sysroot.open(target.root);
  using _lock = await sysroot.lock(ctx);
  using repo = sysroot.repo();
  const options = { ...request.pull, storeAs: request.target.image };
  await using pull = await ImagePull.open(ctx, repo, request.source, options);
  const fetched = await importBootable(pull, request, { rootFileSystem: target.fileSystem });
  const tree = new CommitTree(repo, fetched.image.commit);
  const list: ListTree = (path) => tree.list(path);
  const config = request.config ?? await configOfImage(tree);
  requireNoBoundImages(tree.list(BOUND_IMAGES_DIRECTORY)?.map(({ name }) => name), request.boundImages ?? "stored");
  if (target.blockSetup) chooseBlockSetup(config, target.blockSetup);
  const loader = chooseBootLoader(await bootFiles(list), request.bootLoader ?? ostreeBootloader(config.bootloader), {
    genericImage: request.genericImage ?? false,
    skipBootUuid: request.bootupdSkipBootUuid ?? config.bootupdSkipBootUuid ?? false,
  });
  loader.requirePlace(target);
  const facts = { repo, commit: fetched.image.commit, config };
  const discoverable = isDiscoverable(target, request, config);
  const bootMountSpec = target.bootMountSpec === undefined
    ? undefined
    : request.bootMountSpec ?? config.bootMountSpec ?? target.bootMountSpec;
  const selinux = await selinuxState(repo, fetched.image.commit, request);
  const kernelArguments = await kernelArgumentsFor(facts, request, {
    rootMountSpec: discoverable ? "" : request.rootMountSpec ?? config.rootMountSpec ?? target.rootMountSpec,
    root: target.rootKernelArguments ?? [],
    bootMountSpec,
    selinux,
  });
  if (loader.rawKernelArguments) refuseUnsafeKargs(kernelArguments);
  return {
    fetched,
    loader,
    stateroot: request.stateroot ?? config.stateroot ?? DEFAULT_STATEROOT,
    follows: await followed(ctx, request, { config, digest: fetched.image.digest }),
    bootMountSpec,
    kernelArguments,
    selinux,
    blsAppendExceptDefault: config.blsAppendExceptDefault,
    discoverable,
  };
}

/** Only where the partition table is ours, and nobody says how else the root is found. */
function isDiscoverable(target: InstallTarget, request: InstallRequest, config: InstallConfig): boolean {
  if (target.blockSetup === undefined || config.discoverablePartitions !== true) return false;
  return (request.rootMountSpec ?? config.rootMountSpec) === undefined;
}

interface RootFacts {
  readonly rootMountSpec: string;
  readonly root: readonly string[];
  readonly bootMountSpec: string | undefined;
  readonly selinux: AlephSelinux;
}

async function kernelArgumentsFor(
  { repo, commit, config }: { repo: Repo; commit: string; config: InstallConfig },
  request: InstallRequest,
  { selinux, ...mounts }: RootFacts,
): Promise<string[]> {
  return installKargs({
    ...mounts,
    config: [...selinux === "force-target-disabled" ? ["selinux=0"] : [], ...config.kargs],
    kargsD: await kargsOf(repo, commit),
    deletes: [...config.kargDeletes, ...request.deleteKernelArguments],
    cli: request.kernelArguments,
  });
}

/**
 * An image that demands signatures is verified as it would have been with --enforce-container-sigpolicy, and followed under the policy.
 * @throws {UserError} when the policy would accept anything, or does not accept this image
 */
async function followed(
  ctx: Context,
  { source, target, pull }: InstallRequest,
  { config, digest }: { config: InstallConfig; digest: string },
): Promise<OstreeImageReference> {
  if (config.enforceContainerSigpolicy !== true) return target;
  const signature = { kind: "containerPolicy" } as const;
  if (source.signature.kind !== "containerPolicy") {
    await requireSignaturePolicy("/", ctx.env);
    await using verified = await openImage(ctx, { ...source, signature }, {
      ...pull,
      opened: undefined,
      launched: undefined,
    });
    const now = await verified.proxy.manifest(verified.imageId);
    if (now.digest !== digest) {
      throw new UserError(`The image "${formatOstreeImageReference(source)}" changed while it was installed`, {
        hint: "Give --enforce-container-sigpolicy, as the image's configuration does",
      });
    }
  }
  return { ...target, signature };
}
