/** From an image to a host that boots, on file systems that are made and mounted. */
import { ImagePull, type PullOptions } from "../container/pull.ts";
import type { StoredImage } from "../container/images.ts";
import type { ListTree } from "../host/bootable.ts";
import { requireStateroot } from "../host/deploy.ts";
import { type FetchedImage, type FetchHooks, importBootable } from "../host/fetch.ts";
import { kargsOf } from "../host/queue.ts";
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import { CommitTree } from "../ostree/commit_tree.ts";
import type { Deployment } from "../ostree/deployment.ts";
import { Origin } from "../ostree/origin.ts";
import { Sysroot } from "../ostree/sysroot.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import type { AlephSelinux } from "./aleph.ts";
import type { BootLoader, EfiPartition, GrubParent } from "./boot/boot_loader.ts";
import { grubFiles } from "./boot/boot_loader.ts";
import { chooseBootLoader } from "./boot/grub.ts";
import { writeHostFiles } from "./host_files.ts";
import { configOfImage } from "./image_config.ts";
import { installKargs, refuseUnsafeKargs } from "./kargs.ts";
import { Labels, selinuxState } from "./labels.ts";
import { withScratch } from "./scratch.ts";
import { makeSystemRoot, prepareBootLoader } from "./target.ts";

/** File systems that are mounted below `root` as the host will have them, and the disk that they are on. */
export interface InstallTarget {
  readonly root: string;
  /** How the kernel finds the root: `UUID=...`; "" for a root that it finds by itself. */
  readonly rootMountSpec: string;
  /** File system with /boot. */
  readonly bootUuid: string;
  /** How /boot is mounted where it is a file system of its own; undefined where it is not. */
  readonly bootMountSpec: string | undefined;
  /** The disk that gets a boot loader for BIOS, in a partition for that; undefined for none. */
  readonly biosDisk: string | undefined;
  /** The EFI system partition that gets a boot loader for UEFI; undefined for none. */
  readonly esp: EfiPartition | undefined;
  /** Where GRUB's directory goes beside one that boots until now; "" when not given. */
  readonly grubParent?: GrubParent | undefined;
  /** What else the kernel needs to find the root, behind root=. */
  readonly rootKernelArguments?: readonly string[] | undefined;
}

/** What is installed, and how. */
export interface InstallRequest extends FetchHooks {
  readonly source: OstreeImageReference;
  /** What the host follows. */
  readonly target: OstreeImageReference;
  readonly stateroot: string | undefined;
  /** How the kernel finds the root, and how /boot is mounted; undefined: as the image or else the target says. */
  readonly rootMountSpec?: string | undefined;
  readonly bootMountSpec?: string | undefined;
  readonly kernelArguments: readonly string[];
  readonly deleteKernelArguments: readonly string[];
  readonly bootLoader: "grub" | "none" | undefined;
  /** The host starts without SELinux though the image has a policy. */
  readonly disableSelinux?: boolean;
  /** Text of the file with root's SSH keys. */
  readonly sshKeys: string | undefined;
  readonly pull: PullOptions;
  /** Called when all but the boot loader is done: what the target boots until now is untouched. */
  readonly onLoader?: (loader: BootLoader["name"]) => Promise<void>;
}

/** What came of it. */
export interface Installed extends FetchedImage {
  readonly bootLoader: BootLoader["name"];
  readonly stateroot: string;
}

const DEFAULT_STATEROOT = "default";

/**
 * Installs an image on a target that holds nothing yet, or beside a system that has no name in common with it. The order: system root, layers, boot loader's files that ostree wants to find, the
 * deployment, the loader itself. The last one is the commit point: before it the target boots what it did before.
 * @throws {UserError} when the image cannot be fetched or could not boot, or has no boot loader
 * @throws {ToolError} @throws {GlibError}
 */
export async function install(ctx: Context, target: InstallTarget, request: InstallRequest): Promise<Installed> {
  const { report = () => {} } = request;
  const bootOnRoot = target.bootMountSpec === undefined;
  await makeSystemRoot(ctx, target.root, { bootOnRoot });
  // libostree removes what a kill leaves there.
  const scratch = await withScratch(ctx, `${target.root}/ostree/repo/tmp`);
  const { fetched, loader, kernelArguments, stateroot, bootMountSpec, selinux } = await importInto(
    scratch,
    target,
    request,
  );
  report({ kind: "step", name: "deploying", index: 0, total: 1 });
  await prepareBootLoader(ctx, target.root, loader);
  const deployment = await deploy(ctx, target, { stateroot, kernelArguments, image: fetched.image, request });
  using labels = Labels.open(ctx, { root: target.root, commit: fetched.image.commit, selinux });
  const host = { target: { ...target, bootMountSpec }, deployment, image: fetched.image, request };
  await writeHostFiles(ctx, host, labels);
  const bootPrefix = bootOnRoot ? "/boot" : "";
  await request.onLoader?.(loader.name);
  await loader.install(ctx, { ...target, bootPrefix, deployment: deployment.path });
  labels.setBelow(target.root, "boot");
  report({ kind: "step-done" });
  return { ...fetched, bootLoader: loader.name, stateroot };
}

/** What an image is to be deployed with. */
interface Imported {
  readonly fetched: FetchedImage;
  readonly loader: BootLoader;
  readonly stateroot: string;
  readonly bootMountSpec: string | undefined;
  readonly kernelArguments: string[];
  readonly selinux: AlephSelinux;
}

/** Brings the layers in, and finds out from the tree how it boots. What the operator says comes before what the image's configuration says. */
async function importInto(ctx: Context, target: InstallTarget, request: InstallRequest): Promise<Imported> {
  using sysroot = Sysroot.open(target.root);
  using _lock = await sysroot.lock(ctx);
  using repo = sysroot.repo();
  const options = { ...request.pull, storeAs: request.target.image };
  await using pull = await ImagePull.open(ctx, repo, request.source, options);
  const fetched = await importBootable(pull, request);
  const tree = new CommitTree(repo, fetched.image.commit);
  const list: ListTree = (path) => tree.list(path);
  const config = await configOfImage(tree);
  const loader = chooseBootLoader(await grubFiles(list), request.bootLoader ?? config.bootloader);
  loader.requirePlace(target);
  const bootMountSpec = target.bootMountSpec === undefined
    ? undefined
    : request.bootMountSpec ?? config.bootMountSpec ?? target.bootMountSpec;
  const selinux = await selinuxState(repo, fetched.image.commit, request);
  const kernelArguments = installKargs({
    rootMountSpec: request.rootMountSpec ?? config.rootMountSpec ?? target.rootMountSpec,
    root: target.rootKernelArguments ?? [],
    bootMountSpec,
    config: [...selinux === "force-target-disabled" ? ["selinux=0"] : [], ...config.kargs],
    kargsD: await kargsOf(repo, fetched.image.commit),
    deletes: [...config.kargDeletes, ...request.deleteKernelArguments],
    cli: request.kernelArguments,
  });
  if (loader.rawKernelArguments) refuseUnsafeKargs(kernelArguments);
  const stateroot = request.stateroot ?? config.stateroot ?? DEFAULT_STATEROOT;
  return { fetched, loader, stateroot, bootMountSpec, kernelArguments, selinux };
}

interface DeployArguments {
  readonly stateroot: string;
  readonly kernelArguments: readonly string[];
  readonly image: StoredImage;
  readonly request: InstallRequest;
}

/** The repository's configuration is read when a system root is opened, so this is another one than the import's. */
async function deploy(ctx: Context, target: InstallTarget, what: DeployArguments): Promise<Deployment> {
  using sysroot = Sysroot.open(target.root);
  using _lock = await sysroot.lock(ctx);
  await requireStateroot(sysroot, what.stateroot);
  await sysroot.deployTree({
    stateroot: what.stateroot,
    checksum: what.image.commit,
    origin: Origin.forImage(formatOstreeImageReference(what.request.target)),
    kernelArguments: what.kernelArguments,
    signal: ctx.signal,
  });
  sysroot.reload();
  const [deployment] = sysroot.deployments();
  if (!deployment) throw new UserError(`Cannot find what libostree deployed into "${target.root}"`);
  return deployment;
}
