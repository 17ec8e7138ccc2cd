import { filterPath } from "../../container/path_filter.ts";
import { hasOverlay } from "../prepare_root.ts";
import { quotePath } from "../quote.ts";
import type { Root } from "../root.ts";
import { isMountPoint } from "../walk.ts";
import { lists, type TreeLint } from "./lint.ts";

/** Container engines leave sockets out of layers by themselves. */
const SPECIAL = new Set(["fifo", "character device", "block device"]);

/** Ours. */
export const specialFiles: TreeLint = {
  name: "special-files",
  type: "fatal",
  description:
    "An ostree tree holds files, directories and symlinks, so an image with a device or FIFO cannot be imported. " +
    "Those below /dev, /proc, /sys, /run and /tmp, which are left out, do not matter.",
  watch(root: Root) {
    const items: string[] = [];
    let rules: Parameters<typeof filterPath>[1] | undefined;
    return {
      see(entry) {
        if (!SPECIAL.has(entry.type)) return;
        rules ??= { keepAll: hasOverlay(root), varPath: "var", policy: "" };
        if (filterPath(entry.path, rules).kind !== "keep" || isMountPoint(entry)) return;
        items.push(`${quotePath(`/${entry.path}`)} (${entry.type})`);
      },
      finding: () => lists({ header: "Found devices or FIFOs", items }),
    };
  },
};
