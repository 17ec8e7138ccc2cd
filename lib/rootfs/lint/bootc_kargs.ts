import { readRootKargs } from "../kargs.ts";
import type { PlaceLint } from "./lint.ts";

/** Fails by what {@linkcode readRootKargs} throws. */
export const bootcKargs: PlaceLint = {
  name: "bootc-kargs",
  type: "fatal",
  description:
    "The files of /usr/lib/bootc/kargs.d must be such as an update can read; otherwise it refuses the image.",
  async check(root) {
    await readRootKargs(root);
    return undefined;
  },
};
