/** File systems that somebody else made and mounted. */
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { capture } from "../sys/run.ts";
import { PARTITION_TYPES, partitionsOf } from "./block_device.ts";
import type { InstallTarget } from "./install.ts";
import { requireEmpty } from "./target.ts";

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

/** The mount at exactly this path; undefined where nothing is mounted there. */
async function mountedAt(ctx: Context, path: string): Promise<Mounted | undefined> {
  const argv = ["findmnt", "--json", "--output", "TARGET,SOURCE,UUID", "--mountpoint", path] as const;
  const text = await capture(ctx, argv).catch(() => "{}");
  return parseFindmnt(text);
}

/** The disk that a partition is on; undefined for what is no partition of one. */
async function diskOf(ctx: Context, device: string): Promise<string | undefined> {
  const text = await capture(ctx, ["lsblk", "--noheadings", "--paths", "--output", "PKNAME", "--", device]).catch(() =>
    ""
  );
  return text.trim().split("\n")[0]?.trim() || undefined;
}

/** How the kernel is to find root and /boot; undefined: by UUID. */
export interface MountSpecs {
  readonly rootMountSpec: string | undefined;
  readonly bootMountSpec: string | undefined;
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
  await requireEmpty(root);
  const boot = await mountedAt(ctx, `${root}/boot`);
  const disk = await diskOf(ctx, (boot ?? mounted).source);
  const partitions = disk === undefined ? [] : await partitionsOf(ctx, disk);
  const esp = (await mountedAt(ctx, `${root}/boot/efi`))?.source ??
    partitions.find(({ type }) => type === PARTITION_TYPES.efiSystem)?.path;
  const bios = partitions.some(({ type }) => type === PARTITION_TYPES.biosBoot);
  return {
    root,
    rootMountSpec: specs.rootMountSpec ?? spec(mounted, "--root-mount-spec"),
    bootUuid: (boot ?? mounted).uuid ?? "",
    bootMountSpec: boot ? specs.bootMountSpec ?? spec(boot, "--boot-mount-spec") : undefined,
    biosDisk: bios ? disk : undefined,
    esp,
  };
}
