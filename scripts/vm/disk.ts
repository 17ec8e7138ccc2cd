/** A disk with an image installed on it, for {@linkcode Machine}. */
import type { Context } from "../../lib/sys/context.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { chrootArgv } from "../demo/chroot.ts";

/** What is installed where. */
export interface InstallOptions {
  /** Path of the disk image, which is made or made anew. */
  readonly disk: string;
  /** Root of the image; what is written into it while installing is dropped. */
  readonly root: string;
  /** Layout directory and tag: "DIR:TAG". */
  readonly image: string;
  /** What the system is to follow: a registry's image, "10.0.2.2:PORT/NAME:TAG". */
  readonly follow: string;
  /** Beside those for the root file system and the serial console. */
  readonly kernelArguments: readonly string[];
  /** 4096 when not given. */
  readonly sizeMiB?: number;
}

/** A file as a block device; released at the end of the block. */
async function attachLoop(ctx: Context, file: string): Promise<{ device: string } & AsyncDisposable> {
  const device = (await capture(ctx, ["losetup", "--find", "--show", "--", file])).trim();
  return {
    device,
    async [Symbol.asyncDispose]() {
      // Not the caller's context: that may be aborted. Partitions that were never made are no failure.
      const cleanup = { ...ctx, signal: new AbortController().signal };
      await run(cleanup, ["sh", "-c", `partx --delete "$0" 2>/dev/null; losetup --detach "$0"`, device]);
    },
  };
}

/** Lays a scratch directory over the root "$0", so that the root stays as it is, and shows the host's files at /host there. */
const OVERLAY = `
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$0,upperdir=$1/upper,workdir=$1/work" "$1/root"
mkdir "$1/root/host"
mount --rbind / "$1/root/host"
mount --bind /sys "$1/root/sys"
shift
exec "$@"`;

/**
 * Runs a command in a root, as if in a container of that image that may do everything to the host: with its /dev, /proc and /sys, its files
 * below /host, and an empty /tmp. What it writes into the root itself is dropped.
 * @throws {ToolError} with the end of what it said
 */
export async function runOverRoot(ctx: Context, root: string, argv: readonly [string, ...string[]]): Promise<void> {
  const scratch = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "bootc-overlay-" });
  try {
    const env = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"];
    const inside = chrootArgv(`${scratch}/root`, [...env, ...argv]);
    await run(ctx, ["unshare", "--mount", "--", "sh", "-euc", OVERLAY, root, scratch, ...inside]);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/**
 * Makes a disk that boots by BIOS and by UEFI. To be replaced by `bootc install to-disk`.
 * @throws {ToolError} with the end of what a tool said
 */
export async function installDisk(ctx: Context, options: InstallOptions): Promise<void> {
  const { disk, root, image, follow, kernelArguments, sizeMiB = 4096 } = options;
  await run(ctx, ["rm", "-f", "--", disk]);
  await run(ctx, ["truncate", "-s", `${sizeMiB}M`, "--", disk]);
  await using loop = await attachLoop(ctx, disk);
  const uuid = crypto.randomUUID();
  const words = [`root=UUID=${uuid}`, "rw", "console=ttyS0", "panic=1", ...kernelArguments];
  const script = new URL("install_disk.sh", import.meta.url).pathname;
  // deno-fmt-ignore
  await runOverRoot(ctx, root, [
    "sh", `/host${script}`, loop.device, uuid,
    "--imgref", `ostree-unverified-image:oci:/host${image}`,
    "--target-imgref", `ostree-unverified-registry:${follow}`,
    ...words.flatMap((word) => ["--karg", word]),
  ]);
}
