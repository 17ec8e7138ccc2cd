/** A whole disk, from nothing to mounted file systems. */
import type { Context } from "../sys/context.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { UserError } from "../sys/errors.ts";
import { AT_FDCWD, cstr, LibcError, O_EXCL, O_RDWR, openat } from "../sys/libc.ts";
import { mount } from "../sys/mounts.ts";
import { partition, partitionPath, readDisk, requireFree, wipe } from "./block_device.ts";
import type { RootFileSystem } from "./config.ts";
import { makeFileSystem } from "./file_system.ts";
import type { InstallTarget } from "./install.ts";
import { attachLoop } from "./loop_device.ts";
import { type PartitionTable, partitionTable } from "./partition_table.ts";
import { diskTools, requireTools } from "./tools.ts";

/** Which disk, and how it is divided. */
export interface DiskRequest {
  /** A block device, or a file with `loopback`. */
  readonly device: string;
  readonly loopback: boolean;
  readonly wipe: boolean;
  readonly fileSystem: RootFileSystem;
  readonly rootSizeMiB: number | undefined;
  /** One is to be installed. */
  readonly bootLoader: boolean;
}

/** A disk that nothing speaks against, open until the end of the block. */
export interface CheckedDisk extends AsyncDisposable {
  readonly path: string;
  readonly table: PartitionTable;
}

/** Boot loader, EFI and a system with a second one beside it. */
const LEAST_BYTES = 2 * 1024 ** 3;

/**
 * Finds out whether a disk may be installed on; nothing of it is changed.
 * @throws {UserError} when it is no disk, is in use, too small, or holds something and may not be wiped
 */
export async function checkDisk(ctx: Context, request: DiskRequest): Promise<CheckedDisk> {
  await requireTools(ctx, diskTools(request.fileSystem, request));
  const table = partitionTable({ architecture: Deno.build.arch, rootSizeMiB: request.rootSizeMiB });
  await using stack = new AsyncDisposableStack();
  const device = request.loopback ? stack.use(await attachLoop(request.device)).path : request.device;
  const disk = await readDisk(ctx, device);
  await requireFree(ctx, disk, request);
  if (disk.sizeBytes < LEAST_BYTES) {
    throw new UserError(`"${request.device}" has ${disk.sizeBytes} bytes, too few for a system and its next version`, {
      hint: "Give a disk of 2 GiB or more; nothing was changed",
    });
  }
  requireRoom(disk.sizeBytes, request);
  requireIdle(disk.path);
  const kept = stack.move();
  return { path: disk.path, table, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What lies before the root, and the copy of the table behind it. */
const AROUND_ROOT_BYTES = 516 * 1024 ** 2;

function requireRoom(sizeBytes: number, { rootSizeMiB, device }: DiskRequest): void {
  const needed = (rootSizeMiB ?? 0) * 1024 ** 2 + AROUND_ROOT_BYTES;
  if (needed <= sizeBytes) return;
  throw new UserError(
    `A root partition of ${rootSizeMiB} MiB does not fit on "${device}", which has ${sizeBytes} bytes`,
    {
      hint: "Give a smaller --root-size, or none for the rest of the disk; nothing was changed",
    },
  );
}

/** Whoever has a disk or a part of it for himself is asked by the kernel alone: not all of them are mounts or devices. */
function requireIdle(path: string): void {
  try {
    using _ = new Descriptor(openat(AT_FDCWD, cstr(path), O_RDWR | O_EXCL));
  } catch (cause) {
    if (!(cause instanceof LibcError)) throw cause;
    throw new UserError(`Cannot use device ${path}`, {
      cause,
      hint: "Whatever uses it has to end first; nothing was changed",
    });
  }
}

/** A target whose file systems are unmounted at the end of the block. */
export type MountedTarget = InstallTarget & AsyncDisposable;

/**
 * Overwrites a disk with a new partition table and an empty root file system, and mounts that at `root`. Commit point of the destruction: the
 * partition table; a power cut after it leaves a disk that does not boot.
 * @throws {ToolError}
 */
export async function makeDisk(
  ctx: Context,
  { path, table }: CheckedDisk,
  { request, root }: { request: DiskRequest; root: string },
): Promise<MountedTarget> {
  if (request.wipe) await wipe(ctx, await readDisk(ctx, path));
  await using stack = new AsyncDisposableStack();
  await partition(ctx, path, table.text);
  const rootDevice = partitionPath(path, table.rootNumber);
  const uuid = crypto.randomUUID();
  await makeFileSystem(ctx, rootDevice, { type: request.fileSystem, uuid, label: "root" });
  await Deno.mkdir(root, { recursive: true });
  stack.use(await mount(ctx, rootDevice, root));
  const kept = stack.move();
  return {
    root,
    rootMountSpec: `UUID=${uuid}`,
    bootUuid: uuid,
    bootMountSpec: undefined,
    biosDisk: path,
    disk: path,
    blockSetup: "direct",
    fileSystem: request.fileSystem,
    esp: { kind: "blank", device: partitionPath(path, table.espNumber) },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
