/** The programs of the host that an installation needs, looked for before anything changes. */
import type { Context } from "../sys/context.ts";
import { requireProgram } from "../sys/run.ts";
import type { RootFileSystem } from "./config.ts";

/** For partitions and mounts. */
const DISK_TOOLS = ["sfdisk", "partx", "wipefs", "lsblk", "mount", "fsfreeze"];

/** For the EFI system partition, which not every kernel can mount. */
const EFI_TOOLS = ["mkfs.vfat", "mmd", "mcopy"];

/** What a disk with such a root needs. */
export function diskTools(fileSystem: RootFileSystem, { bootLoader }: { bootLoader: boolean }): string[] {
  return [...DISK_TOOLS, `mkfs.${fileSystem}`, ...(bootLoader ? EFI_TOOLS : [])];
}

/** What file systems that are mounted already need. */
export function mountedTools({ bootLoader }: { bootLoader: boolean }): string[] {
  return ["findmnt", "lsblk", "sfdisk", "wipefs", "mount", "fsfreeze", ...(bootLoader ? EFI_TOOLS : [])];
}

/** @throws {UserError} naming one that is not here */
export async function requireTools(ctx: Context, tools: readonly string[]): Promise<void> {
  await Promise.all(tools.map((tool) => requireProgram(ctx, tool)));
}
