/** Disks in files, for tests of the installer: real loop devices, real partitions. */
import { plainContext } from "../../../lib/sys/context.ts";
import { type AttachedLoop, attachLoopDevice } from "../../../lib/sys/libc_loop.ts";
import { capture, run } from "../../../lib/sys/run.ts";
import { type OsImage, osImage } from "../../os_image.ts";
import { type TempDir, tempDir } from "../../temp.ts";
import { bootcWith, type Outcome } from "../bootc.ts";

export const ctx = plainContext(Deno.env.toObject());

/** Loop devices need a kernel that has them and a root that may make them. */
export const canLoop = Deno.uid() === 0 && await Deno.stat("/dev/loop-control").then(() => true, () => false);

/** This process is as good as in a mount namespace of its own: tests want the output, not a process further down. */
export const HERE = { BOOTC_OUTER_MOUNT_NAMESPACE: "another" };

/** A folder with an image and what is installed from it. */
export interface Bench extends TempDir {
  /** `oci:DIR` of an image. */
  image(name: string, source?: OsImage): string;
  /** A sparse file. */
  disk(name: string, sizeBytes?: number): Promise<string>;
  /** `bootc install WORDS...` */
  install(...words: string[]): Promise<Outcome>;
}

/** On a disk: a root file system of gigabytes in memory would be dear. */
export async function bench(): Promise<Bench> {
  const tmp = await tempDir("/var/tmp");
  return {
    ...tmp,
    image(name, source = {}) {
      const directory = `${tmp.path}/${name}`;
      Deno.mkdirSync(directory);
      osImage(directory, source);
      return `oci:${directory}`;
    },
    async disk(name, sizeBytes = 3 * 1024 ** 3) {
      const path = `${tmp.path}/${name}`;
      using file = await Deno.create(path);
      await file.truncate(sizeBytes);
      return path;
    },
    install: (...words) => bootcWith({ env: HERE }, "install", ...words),
  };
}

/** A file's partitions as loop devices, until the end of the block and of what is mounted of them. */
export async function attached(path: string): Promise<AttachedLoop> {
  const loop = attachLoopDevice(path);
  await run(ctx, ["partx", "--update", "--", loop.path]);
  return loop;
}

/** A device's file system, mounted until the end of the block. */
export async function mounted(device: string, at: string): Promise<{ path: string } & AsyncDisposable> {
  await Deno.mkdir(at, { recursive: true });
  await run(ctx, ["mount", "--", device, at]);
  return { path: at, [Symbol.asyncDispose]: () => run(ctx, ["umount", "--recursive", "--", at]) };
}

/** What a write would change: how much of the sparse file is there, and its first and last megabyte, which have all tables and signatures. */
export async function fingerprint(path: string): Promise<string> {
  const script = `stat --format=%b "$0"; head -c 1M "$0" | sha256sum; tail -c 1M "$0" | sha256sum`;
  return await capture(ctx, ["sh", "-c", script, path]);
}
