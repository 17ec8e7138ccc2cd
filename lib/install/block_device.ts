/** What is on a block device, and its partitions as devices. */
import type { Context } from "../sys/context.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { capture, run } from "../sys/run.ts";

/** A disk. */
export interface Disk {
  readonly path: string;
  readonly sizeBytes: number;
  /** Where it, or a part of it, is mounted or otherwise in use. */
  readonly mountPoints: readonly string[];
  /** Devices of its partitions that the kernel knows. */
  readonly partitions: readonly string[];
  /** Devices that are made of it or its partitions: volumes, encrypted ones, RAID. */
  readonly holders: readonly string[];
}

interface LsblkDevice {
  readonly path: string;
  readonly type: string;
  readonly size: number;
  readonly mountpoints: readonly (string | null)[];
  readonly children?: readonly LsblkDevice[];
}

/** Reads `lsblk --json --bytes --paths --tree`; pure. @throws {SyntaxError} when the text has another shape */
export function parseLsblk(text: string): Disk {
  const { blockdevices } = JSON.parse(text) as { blockdevices?: readonly LsblkDevice[] };
  const device = blockdevices?.[0];
  if (!device || !Number.isSafeInteger(device.size)) {
    throw new SyntaxError("Cannot read what lsblk says: no device with a size");
  }
  const all = (each: LsblkDevice): LsblkDevice[] => [each, ...(each.children ?? []).flatMap(all)];
  return {
    path: device.path,
    sizeBytes: device.size,
    mountPoints: all(device).flatMap(({ mountpoints }) => mountpoints.filter((each) => each !== null)),
    partitions: all(device).slice(1).filter(({ type }) => type === "part").map(({ path }) => path),
    holders: all(device).slice(1).filter(({ type }) => type !== "part").map(({ path, type }) => `${path} (${type})`),
  };
}

/** @throws {UserError} when it is no block device */
export async function readDisk(ctx: Context, path: string): Promise<Disk> {
  const info = await Deno.stat(path).catch((cause) => {
    throw new UserError(`Cannot use "${path}" as a disk`, { cause });
  });
  if (!info.isBlockDevice) {
    throw new UserError(`Cannot use "${path}" as a disk: it is no block device`, {
      hint: info.isFile ? "A file becomes a disk with --via-loopback" : "Give a disk like /dev/sda",
    });
  }
  // deno-fmt-ignore
  return parseLsblk(await capture(ctx, [
    "lsblk", "--json", "--bytes", "--paths", "--tree", "--output", "PATH,TYPE,SIZE,MOUNTPOINTS", "--", path,
  ]));
}

/** A sign of what a device holds, as `wipefs` sees it: `gpt`, `ext4`, `crypto_LUKS`. */
export async function signatures(ctx: Context, path: string): Promise<string[]> {
  const text = await capture(ctx, ["wipefs", "--json", "--no-act", "--", path]);
  if (text.trim() === "") return [];
  const { signatures = [] } = JSON.parse(text) as { signatures?: readonly { readonly type?: string }[] };
  return [...new Set(signatures.map(({ type }) => type ?? "unknown"))];
}

/** Removes all signatures; commit point: each one's overwriting. @throws {ToolError} */
export async function wipe(ctx: Context, disk: Disk): Promise<void> {
  for (const path of [...disk.partitions, disk.path]) await run(ctx, ["wipefs", "--all", "--", path]);
}

/** Types of partitions, as GPT names them. Source: UEFI 2.10, table 5-7, and GRUB's manual, "BIOS installation". */
export const PARTITION_TYPES = {
  efiSystem: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
  biosBoot: "21686148-6449-6E6F-744E-656564454649",
} as const;

/** A partition as the table on the disk has it, also where the kernel reads no such table. */
export interface Partition {
  readonly path: string;
  /** A GUID in capitals. */
  readonly type: string;
}

/** A disk's partition table. */
export interface PartitionedDisk {
  /** "gpt" or "dos", or another; undefined where there is no table. */
  readonly label: string | undefined;
  readonly partitions: readonly Partition[];
}

/** Reads it from the disk. */
export async function partitionTableOf(ctx: Context, disk: string): Promise<PartitionedDisk> {
  let text: string;
  try {
    text = await capture(ctx, ["sfdisk", "--json", "--", disk]);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return { label: undefined, partitions: [] };
  }
  const { partitiontable } = JSON.parse(text) as {
    partitiontable?: { label?: string; partitions?: readonly { node: string; type: string }[] };
  };
  const partitions = (partitiontable?.partitions ?? []).map(({ node, type }) => ({
    path: node,
    type: type.toUpperCase(),
  }));
  return { label: partitiontable?.label, partitions };
}

const PARTITION_TABLES = new Set(["gpt", "dos", "PMBR"]);

/**
 * Refuses a disk that is in use, or that holds something which nobody said may go.
 * @throws {UserError}
 */
export async function requireFree(ctx: Context, disk: Disk, { wipe }: { wipe: boolean }): Promise<void> {
  if (disk.mountPoints.length > 0) {
    throw new UserError(`Device ${disk.path} is mounted: ${disk.mountPoints.join(", ")}`, {
      hint: "Unmount it first; nothing was changed",
    });
  }
  if (disk.holders.length > 0) {
    throw new UserError(`Device ${disk.path} is in use by ${disk.holders.join(", ")}`, {
      hint: "Take that apart first, as with `vgchange -an` or `cryptsetup close`; nothing was changed",
    });
  }
  if (wipe) return;
  const found = await signatures(ctx, disk.path);
  if (disk.partitions.length > 0 || found.some((type) => PARTITION_TABLES.has(type))) {
    throw new UserError(
      `Detected existing partitions on ${disk.path}; use e.g. \`wipefs\` or --wipe if you intend to overwrite`,
    );
  }
  if (found.length > 0) {
    throw new UserError(`Detected ${found.join(", ")} on ${disk.path}; use --wipe if you intend to overwrite`);
  }
}

/** `/dev/sda` to `/dev/sda1`, `/dev/loop0` to `/dev/loop0p1`: as the kernel names them. */
export function partitionPath(disk: string, number: number): string {
  return /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;
}

/**
 * Writes a partition table and makes the kernel know it, also one without a parser for it. Commit point: sfdisk's writing of the table.
 * @throws {ToolError}
 */
export async function partition(ctx: Context, disk: string, table: string): Promise<void> {
  const stdin = new TextEncoder().encode(table);
  // sfdisk syncs the disk itself; what it does to tell the kernel begins with a sync of all disks of the machine.
  // deno-fmt-ignore
  await run(ctx, [
    "sfdisk", "--quiet", "--wipe=always", "--wipe-partitions=always", "--no-reread", "--no-tell-kernel", disk,
  ], { stdin });
  await run(ctx, ["partx", "--update", "--", disk]);
}
