/** File systems that somebody else made and mounted. */
import type { Context } from "../sys/context.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { capture } from "../sys/run.ts";
import { type Partition, PARTITION_TYPES, partitionsOf, signatures } from "./block_device.ts";
import { EFI_LOADER, type EfiPartition } from "./boot/boot_loader.ts";
import type { InstallTarget } from "./install.ts";
import { requireEmpty } from "./target.ts";
import { mountedTools, requireTools } from "./tools.ts";

/** A mount as `findmnt` knows it. */
interface Mounted {
  readonly target: string;
  /** The device; something else for file systems without one. */
  readonly source: string;
  readonly uuid: string | null;
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
  const argv = ["findmnt", "--json", "--output", "TARGET,SOURCE,UUID", "--mountpoint", path] as const;
  return parseFindmnt(await captureOr(ctx, argv, "{}"));
}

/** The disk that a partition is on; undefined for what is no partition of one. */
async function diskOf(ctx: Context, device: string): Promise<string | undefined> {
  const argv = ["lsblk", "--noheadings", "--paths", "--output", "PKNAME", "--", device] as const;
  const text = await captureOr(ctx, argv, "");
  return text.trim().split("\n")[0]?.trim() || undefined;
}

/** How the kernel is to find root and /boot; undefined: by UUID. */
export interface MountSpecs {
  readonly rootMountSpec: string | undefined;
  readonly bootMountSpec: string | undefined;
  readonly bootloader: "grub" | "none" | undefined;
}

/**
 * The EFI system partition that is mounted, or the blank one of the disk.
 * @throws {UserError} when it has what another system starts with
 */
async function efiPartition(
  ctx: Context,
  root: string,
  partitions: readonly Partition[],
): Promise<EfiPartition | undefined> {
  const path = `${root}/boot/efi`;
  if (await mountedAt(ctx, path)) {
    const taken = await Deno.lstat(`${path}/${EFI_LOADER}`).then(() => true, () => false);
    if (!taken) return { kind: "mounted", path };
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
 * @throws {UserError} when it is no mount point, or not empty
 */
export async function inspectTarget(ctx: Context, path: string, specs: MountSpecs): Promise<InstallTarget> {
  const root = await Deno.realPath(path).catch((cause) => {
    throw new UserError(`Cannot install into "${path}"`, { cause });
  });
  const mounted = await mountedAt(ctx, root);
  if (!mounted) {
    throw new UserError(`Not a mountpoint: "${path}"`, { hint: "Mount the new root file system there first" });
  }
  await requireTools(ctx, mountedTools({ bootLoader: specs.bootloader !== "none" }));
  await requireEmpty(root);
  const boot = await mountedAt(ctx, `${root}/boot`);
  const disk = await diskOf(ctx, (boot ?? mounted).source);
  const partitions = disk === undefined ? [] : await partitionsOf(ctx, disk);
  const bios = partitions.some(({ type }) => type === PARTITION_TYPES.biosBoot);
  return {
    root,
    rootMountSpec: specs.rootMountSpec ?? spec(mounted, "--root-mount-spec"),
    bootUuid: (boot ?? mounted).uuid ?? "",
    bootMountSpec: boot ? specs.bootMountSpec ?? spec(boot, "--boot-mount-spec") : undefined,
    biosDisk: bios ? disk : undefined,
    esp: specs.bootloader === "none" ? undefined : await efiPartition(ctx, root, partitions),
  };
}
