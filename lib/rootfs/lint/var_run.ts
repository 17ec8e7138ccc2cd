import type { PlaceLint } from "./lint.ts";

export const varRun: PlaceLint = {
  name: "var-run",
  type: "fatal",
  description: "/var/run must be a link to /run: programs would look for sockets and locks of others at two places.",
  check(root) {
    const type = root.stat("var/run")?.type;
    return type === undefined || type === "symlink" ? undefined : "Not a symlink: var/run";
  },
};
