/** Flags of installations over a system that is there. */
import type { CommandSpec } from "./spec.ts";

const KINDS = { kind: "enum", values: ["wipe", "alongside"], metavar: "MODE" } as const;
const MEANING = "wipe removes it once the new system is installed, alongside leaves it in /sysroot; what boots it goes";

/** Which kind, and whether the host that runs may be hit. */
export const replaceFlags = {
  replace: { ...KINDS, help: `Allow what is there to be replaced: ${MEANING}` },
  acknowledgeDestructive: { help: "Do not wait 20 seconds before the root that the host runs from is installed over" },
} as const satisfies CommandSpec["flags"];

/** The same where it is what the command is for. */
export const besideFlags = {
  ...replaceFlags,
  replace: { ...KINDS, default: "alongside", help: `What becomes of what is there: ${MEANING}` },
} as const satisfies CommandSpec["flags"];
