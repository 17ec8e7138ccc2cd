/** From an image to a host that boots, on file systems that are made and mounted. */
import type { PullOptions } from "../container/pull.ts";
import { requireStateroot } from "../host/deploy.ts";
import type { FetchedImage, FetchHooks } from "../host/fetch.ts";
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import type { Deployment } from "../ostree/deployment.ts";
import { Origin } from "../ostree/origin.ts";
import { Sysroot } from "../ostree/sysroot.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { prefixEntries } from "./boot/bls_prefix.ts";
import type { BootLoader, EfiPartition, GrubParent } from "./boot/boot_loader.ts";
import type { OstreeBootloader } from "./boot/choose.ts";
import type { BoundImages } from "./bound_images.ts";
import type { BlockSetup, InstallConfig } from "./config.ts";
import { writeHostFiles } from "./host_files.ts";
import { type Imported, importInto } from "./import.ts";
import { Labels } from "./labels.ts";
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
  /** The disk with all of this, where it is one. */
  readonly disk?: string | undefined;
  /** Type of the root's file system, as the kernel names it. */
  readonly fileSystem?: string | undefined;
  /** What was made between disk and root; undefined where somebody else made it. */
  readonly blockSetup?: BlockSetup;
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
  readonly bootLoader: OstreeBootloader | undefined;
  /** A disk for any machine: nothing of this one's firmware is changed. */
  readonly genericImage?: boolean;
  /** The loader that bootupd installs is not tied to the UUID of /boot; as the image says when not given. */
  readonly bootupdSkipBootUuid?: boolean;
  /** "stored" when not given. */
  readonly boundImages?: BoundImages;
  /** Looked for first: whether the image that the host follows can be fetched. */
  readonly fetchCheck?: boolean;
  /** The configuration of the system that this runs in, where that is the image; undefined: the one in the image is read. */
  readonly config?: InstallConfig | undefined;
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
  /** What the host follows. */
  readonly follows: OstreeImageReference;
}

/**
 * Installs an image on a target that holds nothing yet, or beside a system that has no name in common with it. The order: system root, layers,
 * boot loader's files that ostree wants to find, the deployment, the loader itself. The last one is the commit point: before it the target boots what it did before.
 * @throws {UserError} when the image cannot be fetched or could not boot, or has no boot loader
 * @throws {ToolError} @throws {GlibError}
 */
export async function install(ctx: Context, target: InstallTarget, request: InstallRequest): Promise<Installed> {
  const { report = () => {} } = request;
  const bootOnRoot = target.bootMountSpec === undefined;
  await makeSystemRoot(ctx, target.root);
  // libostree removes what a kill leaves there.
  const scratch = await withScratch(ctx, `${target.root}/ostree/repo/tmp`);
  const imported = await importInto(scratch, target, request);
  const { fetched, loader, stateroot, bootMountSpec, selinux } = imported;
  report({ kind: "step", name: "deploying", index: 0, total: 1 });
  await prepareBootLoader(target.root, { ...imported, bootOnRoot });
  const deployment = await deploy(ctx, target, imported);
  if (bootOnRoot) await prefixEntries(`${target.root}/boot`);
  using labels = Labels.open(ctx, { root: target.root, commit: fetched.image.commit, selinux });
  const host = { target: { ...target, bootMountSpec }, deployment, image: fetched.image, request };
  await writeHostFiles(ctx, host, labels);
  const bootPrefix = bootOnRoot ? "/boot" : "";
  await request.onLoader?.(loader.name);
  await loader.install(ctx, {
    ...target,
    bootPrefix,
    deployment: deployment.path,
    discoverable: imported.discoverable,
  });
  labels.setBelow(target.root, "boot");
  report({ kind: "step-done" });
  return { ...fetched, bootLoader: loader.name, stateroot, follows: imported.follows };
}

/** The repository's configuration is read when a system root is opened, so this is another one than the import's. */
async function deploy(ctx: Context, target: InstallTarget, what: Imported): Promise<Deployment> {
  using sysroot = Sysroot.open(target.root);
  using _lock = await sysroot.lock(ctx);
  requireStateroot(sysroot, what.stateroot);
  await sysroot.deployTree({
    stateroot: what.stateroot,
    checksum: what.fetched.image.commit,
    origin: Origin.forImage(formatOstreeImageReference(what.follows)),
    kernelArguments: what.kernelArguments,
    signal: ctx.signal,
  });
  sysroot.reload();
  const [deployment] = sysroot.deployments();
  if (!deployment) throw new UserError(`Cannot find what libostree deployed into "${target.root}"`);
  return deployment;
}
