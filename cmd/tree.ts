/**
 * Every command there is. A line a command: its name, the summary for lists (the same as its spec's), and the file that has it, loaded only
 * when it is run or asked for help.
 */
import type { Program } from "../lib/cli/program.ts";

export const program: Program = {
  root: {
    summary: "Deploy and update the host from container images",
    commands: {
      // upgrade: { summary: "…", aliases: ["update"], load: () => import("./upgrade.ts") },
    },
  },
  callNames: {
    // libostree runs /usr/libexec/libostree/ext/ostree-container for `ostree container ...`.
    "ostree-container": { words: ["internals", "ostree-container"], shown: "ostree container" },
    "bootc-systemd-generator": { words: ["internals", "systemd-generator"], shown: "bootc-systemd-generator" },
  },
};
