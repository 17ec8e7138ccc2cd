/** The kernel and what it needs to start. */
import { kernelDirectories, MODULES } from "../../host/bootable.ts";
import { read } from "../../sys/libc.ts";
import { listTree } from "../kernel.ts";
import { quotePath } from "../quote.ts";
import type { Root } from "../root.ts";
import { lists, type PlaceLint } from "./lint.ts";

export const kernel: PlaceLint = {
  name: "kernel",
  type: "fatal",
  description: `One kernel is all that an image can have: one directory of /${MODULES} with a vmlinuz in it.`,
  async check(root) {
    const kernels = await kernelDirectories(listTree(root));
    if (kernels.length < 2) return undefined;
    return lists({
      header: `Found multiple subdirectories in ${MODULES}`,
      items: kernels.map(({ version }) => quotePath(version)),
    });
  },
};

/** A tree without this is no operating system, but one of somebody's test or an unfinished base. */
function isOperatingSystem(root: Root): boolean {
  return ["usr/lib/os-release", "etc/os-release"].some((path) => root.stat(path) !== undefined);
}

/** Ours: everything but the boot succeeds without it. */
export const initramfs: PlaceLint = {
  name: "initramfs",
  type: "fatal",
  description:
    "Beside the vmlinuz of an operating system (a root with an os-release) there must be its initramfs.img, made with ostree's module: " +
    "without it the kernel finds no root file system, and an update refuses the image.",
  async check(root, signal) {
    if (!isOperatingSystem(root)) return undefined;
    const kernels = await kernelDirectories(listTree(root));
    const without = kernels.filter(({ names }) => !names.has("initramfs.img"));
    const blind: string[] = [];
    for (const { version, names } of kernels) {
      const path = `${MODULES}/${version}/initramfs.img`;
      if (names.has("initramfs.img") && await cannotFindRoot(root, path, signal)) blind.push(path);
    }
    return lists({
      header: "Found a kernel without initramfs.img beside it",
      items: without.map(({ version }) => quotePath(`/${MODULES}/${version}/vmlinuz`)),
    }, {
      header:
        "Found an initramfs without ostree-prepare-root, which cannot find an ostree root; make it with dracut --add ostree",
      items: blind.map((path) => quotePath(`/${path}`)),
    });
  },
};

async function cannotFindRoot(root: Root, path: string, signal: AbortSignal): Promise<boolean> {
  const { findsOstreeRoot } = await import("../../host/initramfs.ts"); // with its decompressors, which no other check needs
  using file = root.openFile(path);
  return file !== undefined && await findsOstreeRoot((buffer) => read(file.fd, buffer), signal) === false;
}
