import type { PlaceLint } from "./lint.ts";

/** What systemd takes for "none yet" (machine-id(5)). */
const NONE_YET = new Set(["", "uninitialized"]);

/** Ours. No file at all is passed over: first boot is then another one, but no two machines are the same. */
export const machineId: PlaceLint = {
  name: "machine-id",
  type: "warning",
  description:
    "/etc/machine-id should be empty in an image, so that each machine takes an id of its own when it first boots.",
  check(root) {
    const bytes = root.readFile("etc/machine-id");
    if (!bytes || NONE_YET.has(new TextDecoder().decode(bytes).trim())) return undefined;
    return "/etc/machine-id is not empty: every machine made from this image would have the same id";
  },
};
