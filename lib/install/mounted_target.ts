/** File systems that somebody else made and mounted. */
import type { Context } from "../sys/context.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { capture } from "../sys/run.ts";
import { PARTITION_TYPES, type PartitionedDisk, partitionTableOf, signatures } from "./block_device.ts";
import { EFI_LOADER, type EfiPartition } from "./boot/boot_loader.ts";
import { freeGrubParent } from "./boot/grub_parent.ts";
import type { Bootloader } from "./config.ts";
import { onHostRoot, rootArguments } from "./host_root.ts";
import type { InstallTarget } from "./install.ts";
import { requireEmpty } from "./target.ts";
import { mountedTools, requireTools } from "./tools.ts";

/** A mount as `findmnt` knows it. */
interface Mounted {
  readonly target: string;
  /** The device; something else for file systems without one. */
  readonly source: string;
  readonly uuid: string | null;
  /** The directory of the file system that is mounted: "/", or that of a subvolume. */
  readonly fsroot: string;
  readonly fstype: string;
}

/** Reads `findmnt --json`; pure. */
export function parseFindmnt(text: string): Mounted | undefined {
  const { filesystems = [] } = JSON.parse(text) as { filesystems?: readonly Mounted[] };
  return filesystems[0];
}

/** What a tool says; `otherwise` where it fails, which is how these say that there is nothing. @throws {UserError} when it is not here */
async function captureOr(ctx: Context, argv: readonly [string, ...string[]], otherwise: string): Promise<string> {
  try {
    return await capture(ctx, argv);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return otherwise;
  }
}

/** The mount at exactly this path; undefined where nothing is mounted there. */
async function mountedAt(ctx: Context, path: string): Promise<Mounted | undefined> {
  const argv = ["findmnt", "--json", "--output", "TARGET,SOURCE,UUID,FSROOT,FSTYPE", "--mountpoint", path] as const;
  return parseFindmnt(await captureOr(ctx, argv, "{}"));
}

/** The disk that a partition is on; undefined for what is no partition of one. */
async function diskOf(ctx: Context, device: string): Promise<string | undefined> {
  const argv = ["lsblk", "--noheadings", "--paths", "--output", "PKNAME", "--", device] as const;
  const text = await captureOr(ctx, argv, "");
  return text.trim().split("\n")[0]?.trim() || undefined;
}

/** What becomes of what a root file system holds already. */
export type Replace = "wipe" | "alongside";

/** How the kernel is to find root and /boot (undefined: by UUID), and what the root may hold. */
export interface MountedRequest {
  readonly rootMountSpec?: string | undefined;
  readonly bootMountSpec?: string | undefined;
  readonly bootloader: Bootloader | undefined;
  /** Undefined: it has to be empty. */
  readonly replace?: Replace | undefined;
}

/** A target, and whether it is what the host runs from. */
export interface InspectedTarget extends InstallTarget {
  readonly hostRoot: boolean;
}

/**
 * The EFI system partition that is mounted, or the blank one of the disk.
 * @throws {UserError} when it has what another system starts with
 */
async function efiPartition(
  ctx: Context,
  root: string,
  { partitions, replace }: Pick<PartitionedDisk, "partitions"> & Pick<MountedRequest, "replace">,
): Promise<EfiPartition | undefined> {
  const path = `${root}/boot/efi`;
  if (await mountedAt(ctx, path)) {
    const taken = await Deno.lstat(`${path}/${EFI_LOADER}`).then(() => true, () => false);
    if (!taken || replace) return { kind: "mounted", path };
    throw new UserError(`The EFI system partition at "${path}" has a boot loader already: ${EFI_LOADER}`, {
      hint: "Move it away, or give --bootloader none; nothing was changed",
    });
  }
  const device = partitions.find(({ type }) => type === PARTITION_TYPES.efiSystem)?.path;
  if (device === undefined) return undefined;
  const found = await signatures(ctx, device);
  if (found.length === 0) return { kind: "blank", device };
  throw new UserError(`The EFI system partition ${device} holds a file system already: ${found.join(", ")}`, {
    hint: `Mount it at "${path}", or give --bootloader none; nothing was changed`,
  });
}

function spec({ uuid, target }: Mounted, flag: string): string {
  if (uuid) return `UUID=${uuid}`;
  throw new UserError(`The file system at "${target}" has no UUID`, { hint: `Say how it is found with ${flag}` });
}

/**
 * Looks at a mounted root, its /boot and its /boot/efi. Nothing is changed.
 * @throws {UserError} when it is no mount point, is not empty and has to be, or runs from ostree already
 */
export async function inspectTarget(ctx: Context, path: string, request: MountedRequest): Promise<InspectedTarget> {
  const { replace, bootloader } = request;
  const root = await Deno.realPath(path).catch((cause) => {
    throw new UserError(`Cannot install into "${path}"`, { cause, hint: missingHint(path) });
  });
  const mounted = await mountedAt(ctx, root);
  if (!mounted) {
    throw new UserError(`Not a mountpoint: "${path}"`, { hint: "Mount the new root file system there first" });
  }
  await requireTools(ctx, mountedTools({ bootLoader: bootloader !== "none" }));
  if (replace) await requireReplaceable(root, replace);
  else await requireEmpty(root);
  const boot = await mountedAt(ctx, `${root}/boot`);
  const disk = await diskOf(ctx, (boot ?? mounted).source);
  const table = disk === undefined ? { label: undefined, partitions: [] } : await partitionTableOf(ctx, disk);
  requireWhole(path, mounted, { loaderThere: !boot && bootloader !== "none" });
  return {
    root,
    ...await rootOf(root, mounted, request),
    bootUuid: (boot ?? mounted).uuid ?? "",
    bootMountSpec: boot ? request.bootMountSpec ?? spec(boot, "--boot-mount-spec") : undefined,
    disk,
    fileSystem: mounted.fstype,
    biosDisk: hasBiosPlace(table, replace) ? disk : undefined,
    esp: bootloader === "none" ? undefined : await efiPartition(ctx, root, { ...table, replace }),
    ...(replace && { grubParent: await freeGrubParent(`${root}/boot`) }),
  };
}

/** Refuses a directory of a file system that is mounted as if it were one. @throws {UserError} */
function requireWhole(path: string, { fstype, fsroot }: Mounted, { loaderThere }: { loaderThere: boolean }): void {
  if (fsroot === "/") return;
  if (fstype !== "btrfs") {
    throw new UserError(`Cannot install into "${path}": it is the directory "${fsroot}" of a file system`, {
      hint: "Mount the whole file system; nothing was changed",
    });
  }
  if (!loaderThere) return;
  throw new UserError(`Cannot put a boot loader on "${path}": it is the subvolume "${fsroot}" of a btrfs`, {
    hint: "Use a file system of its own for /boot, or give --bootloader none; nothing was changed",
  });
}

/** How the kernel finds the root: as it did until now, where the host runs from it. */
async function rootOf(root: string, mounted: Mounted, { rootMountSpec, replace }: MountedRequest) {
  const hostRoot = await onHostRoot(root);
  const now = replace && hostRoot && rootMountSpec === undefined
    ? rootArguments(await Deno.readTextFile("/proc/cmdline"))
    : undefined;
  if (now) return { hostRoot, ...now };
  const subvolume = mounted.fstype === "btrfs" && mounted.fsroot !== "/";
  return {
    hostRoot,
    rootMountSpec: rootMountSpec ?? spec(mounted, "--root-mount-spec"),
    rootKernelArguments: subvolume ? [`rootflags=subvol=${mounted.fsroot}`] : [],
  };
}

/** GRUB needs a partition of its own in a GPT; in a table of DOS it lies before the first one, where one may overwrite what is there. */
function hasBiosPlace({ label, partitions }: PartitionedDisk, replace: Replace | undefined): boolean {
  if (partitions.some(({ type }) => type === PARTITION_TYPES.biosBoot)) return true;
  return label === "dos" && replace !== undefined;
}

/** Where the host's root is looked for in a container. */
export const DEFAULT_TARGET = "/target";

function missingHint(path: string): string | undefined {
  return path === DEFAULT_TARGET ? "Give the host's root to the container: podman run -v /:/target ..." : undefined;
}

/** @throws {UserError} */
async function requireReplaceable(root: string, replace: Replace): Promise<void> {
  const names = async (path: string) => await Array.fromAsync(Deno.readDir(`${root}/${path}`)).catch(() => []);
  if ((await names("sysroot/ostree")).length > 0) {
    throw new UserError(`Cannot install over "${root}", a system that runs from ostree already`, {
      hint: "Use `bootc switch` there, or `bootc install reset`; nothing was changed",
    });
  }
  if (replace === "alongside") return;
  if (await onHostRoot(root)) {
    throw new UserError(`Cannot wipe "${root}": the host runs from it`, {
      hint: "Give --replace alongside, and --cleanup to remove the rest at the next boot; nothing was changed",
    });
  }
  const stateroots = await names("ostree/deploy");
  for (const { name } of stateroots) {
    if ((await names(`ostree/deploy/${name}/deploy`)).length === 0) continue;
    throw new UserError(`Cannot wipe "${root}": it holds deployments of ostree`, {
      hint: "Make the file system anew; nothing was changed",
    });
  }
}
