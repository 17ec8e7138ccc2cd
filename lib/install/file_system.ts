/** File systems for a new host. */
import type { Context } from "../sys/context.ts";
import { ToolError } from "../sys/errors.ts";
import { capture, run } from "../sys/run.ts";
import type { RootFileSystem } from "./config.ts";

/** What is made. */
export interface NewFileSystem {
  readonly type: RootFileSystem;
  readonly uuid: string;
  readonly label: string;
}

/** The command line that makes a file system; `features` are those of ext4. Pure. */
export function mkfsArgv(
  device: string,
  { type, uuid, label }: NewFileSystem,
  features: readonly string[] = [],
): [string, ...string[]] {
  switch (type) {
    case "ext4":
      return ["mkfs.ext4", "-q", "-F", "-O", features.join(","), "-U", uuid, "-L", label, device];
    case "xfs":
      return ["mkfs.xfs", "-q", "-f", "-m", `uuid=${uuid}`, "-L", label, device];
    case "btrfs":
      return ["mkfs.btrfs", "-q", "-f", "-U", uuid, "-L", label, device];
  }
}

/** fs-verity for composefs; GRUB of 2.12 and before reads no file system with the other. */
const EXT4_FEATURES = ["verity", "^orphan_file"];
/** For an mke2fs that does not know it, and so never sets it. */
const OLD_EXT4_FEATURES = ["verity"];

/** Makes a file system over whatever was there. Commit point: mkfs. @throws {ToolError} */
export async function makeFileSystem(ctx: Context, device: string, wanted: NewFileSystem): Promise<void> {
  if (wanted.type !== "ext4") return await run(ctx, mkfsArgv(device, wanted));
  const known = await knowsFeatures(ctx, device);
  await run(ctx, mkfsArgv(device, wanted, known ? EXT4_FEATURES : OLD_EXT4_FEATURES));
}

async function knowsFeatures(ctx: Context, device: string): Promise<boolean> {
  try {
    await capture(ctx, ["mkfs.ext4", "-q", "-F", "-n", "-O", EXT4_FEATURES.join(","), device]);
    return true;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return false;
  }
}
