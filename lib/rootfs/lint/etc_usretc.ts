import type { PlaceLint } from "./lint.ts";

export const etcUsretc: PlaceLint = {
  name: "etc-usretc",
  type: "fatal",
  description: "A root may have /etc or /usr/etc, not both: ostree makes the second of the first.",
  check: (root) =>
    root.stat("etc") && root.stat("usr/etc")
      ? "Found /usr/etc - this is a bootc implementation detail and not supported to use in containers"
      : undefined,
};
