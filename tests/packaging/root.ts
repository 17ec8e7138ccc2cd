/** Roots of Debian systems with few packages, to install into. */
import { chrootArgv } from "../../scripts/demo/chroot.ts";
import { debianMirror, SUITE } from "../../scripts/demo/image.ts";
import { ctx, must } from "./checkout.ts";

async function mmdebstrap(root: string, words: readonly string[]): Promise<string> {
  const mirror = await debianMirror(ctx);
  // deno-fmt-ignore
  await must(["mmdebstrap", "--quiet", "--components=main", "--skip=output/mknod", ...words, SUITE, root, ...(mirror === undefined ? [] : [mirror])]);
  return root;
}

/** Unpacks packages and what they depend on, and runs none of their scripts: a root for programs, without a system in it. */
export async function extractRoot(root: string, packages: readonly string[], architecture?: string): Promise<string> {
  const arch = architecture === undefined ? [] : [`--architectures=${architecture}`];
  return await mmdebstrap(root, ["--variant=extract", ...arch, `--include=${packages.join(",")}`]);
}

/** A small Debian system with a working apt. */
export async function aptRoot(root: string): Promise<string> {
  return await mmdebstrap(root, ["--variant=minbase"]);
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
