/** Roots of Debian systems with few packages, to install into. */
import { chrootArgv } from "../../scripts/demo/chroot.ts";
import { extractRoot as unpackRoot, mmdebstrap } from "../../scripts/debian/root.ts";
import { ctx, must } from "./checkout.ts";

/** What {@linkcode unpackRoot} makes, with the environment of these tests. */
export async function extractRoot(root: string, packages: readonly string[], architecture?: string): Promise<string> {
  await unpackRoot(ctx, root, packages, architecture);
  return root;
}

/** A small Debian system with a working apt. */
export async function aptRoot(root: string): Promise<string> {
  await mmdebstrap(ctx, root, ["--skip=output/mknod", "--variant=minbase"]);
  return root;
}

/** Runs a command in a root; nothing of its environment but a PATH is ours. @throws {Error} */
export async function inRoot(root: string, ...argv: [string, ...string[]]): Promise<string> {
  return await must([
    "env",
    "-i",
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND=noninteractive",
    ...chrootArgv(root, argv),
  ]);
}
