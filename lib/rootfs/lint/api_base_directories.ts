import type { Root } from "../root.ts";
import type { PlaceLint } from "./lint.ts";

/** Where the kernel and systemd show what they know; /var is ours, as each deployment gets the one of its host. */
const DIRECTORIES = ["dev", "proc", "sys", "run", "tmp", "var"];

/** The mount points that every system needs. */
export const apiBaseDirectories: PlaceLint = {
  name: "api-base-directories",
  type: "fatal",
  description:
    "The directories /dev, /proc, /sys, /run and /tmp (see systemd's page on API file systems) and /var must exist, " +
    "since the system mounts over them when it starts.",
  check(root: Root) {
    for (const name of DIRECTORIES) {
      const type = root.stat(name)?.type;
      if (type === undefined) return `Missing API filesystem base directory: /${name}`;
      if (type !== "directory") return `Expected directory for API filesystem base directory: /${name}`;
    }
    return undefined;
  },
};
