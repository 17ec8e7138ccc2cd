import type { PlaceLint } from "./lint.ts";

const FILES = ["etc/hostname", "etc/resolv.conf"];

/** In the running root these files are the container's, and belong there. */
export const buildahInjected: PlaceLint = {
  name: "buildah-injected",
  type: "warning",
  rootType: "alternative",
  description:
    "An empty /etc/hostname or /etc/resolv.conf was probably left behind by the program that built the container.",
  check(root) {
    for (const path of FILES) {
      const found = root.stat(path);
      if (found?.type === "file" && found.sizeBytes === 0) {
        return `/${path} is an empty file; this may have been synthesized by a container runtime.`;
      }
    }
    return undefined;
  },
};
