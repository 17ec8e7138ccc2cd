/** What an image to boot from ostree has, which most get from their base. */
import { hasLibcomposefs, isDebian } from "../dpkg.ts";
import { CONFIG, hasOverlay, hasRootConfig, readRootOverlay } from "../prepare_root.ts";
import { debugName } from "../quote.ts";
import type { Root } from "../root.ts";
import type { PlaceLint } from "./lint.ts";

/** Where bootc's package keeps an example of such a tree; where it is, it is held to the same. */
const EXAMPLE = "usr/share/doc/bootc/baseimage/base";
const OSTREE_LINK = "sysroot/ostree";

/** Checks the root, then the example in it. */
function checkBoth(root: Root, check: (root: Root, prefix: string) => string | undefined): string | undefined {
  const prefixes = root.stat(EXAMPLE)?.type === "directory" ? ["", `${EXAMPLE}/`] : [""];
  return prefixes.map((prefix) => check(root, prefix)).find((finding) => finding !== undefined);
}

/** Debian's ostree may have been built without composefs; the image is not asked for what it cannot do. */
function cannotDoComposefs(root: Root): boolean {
  return isDebian(root) && !hasLibcomposefs(root);
}

export const baseimageComposefs: PlaceLint = {
  name: "baseimage-composefs",
  type: "warning",
  description:
    "The ostree/prepare-root.conf in /usr/lib or /etc should enable composefs, which makes the whole root read-only and verified. " +
    "Debian images without libcomposefs are not asked for it.",
  check(root) {
    if (cannotDoComposefs(root)) return undefined;
    return checkBoth(root, (root, prefix) => {
      if (!hasRootConfig(root, prefix)) return `${CONFIG} is not present to enable composefs`;
      return hasOverlay(root, prefix) ? undefined : `${CONFIG} does not have composefs enabled`;
    });
  },
};

/** Ours: commit and deploy succeed, and the boot stops in the emergency shell of the initramfs. */
export const prepareRoot: PlaceLint = {
  name: "prepare-root",
  type: "fatal",
  description:
    "The ostree/prepare-root.conf in /usr/lib or /etc must be a key file, and may not require composefs in a Debian image " +
    "without libcomposefs: either stops the boot in the emergency shell.",
  check(root) {
    const required = readRootOverlay(root)?.composefsRequired ?? false;
    return required && cannotDoComposefs(root)
      ? `${CONFIG} requires composefs, but there is no libcomposefs: the system would not boot`
      : undefined;
  },
};

export const baseimageRoot: PlaceLint = {
  name: "baseimage-root",
  type: "fatal",
  description:
    "The root needs the directory /sysroot, over which the physical root is mounted, and /ostree as a link to sysroot/ostree.",
  check: (root) =>
    checkBoth(root, (root, prefix) => {
      const sysroot = root.stat(`${prefix}sysroot`)?.type;
      if (sysroot === undefined) return "Missing /sysroot";
      if (sysroot !== "directory") return "Expected a directory for /sysroot";
      const ostree = root.stat(`${prefix}ostree`)?.type;
      if (ostree === undefined) return `Missing ostree -> ${OSTREE_LINK} link`;
      if (ostree !== "symlink") return "/ostree should be a symlink";
      const target = root.readLink(`${prefix}ostree`) ?? "";
      return target === OSTREE_LINK ? undefined : `Expected /ostree -> ${OSTREE_LINK}, not ${debugName(target)}`;
    }),
};
