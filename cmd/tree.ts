/**
 * Every command there is. A line a command: its name, the summary for lists (the same as its spec's), and the file that has it, loaded only
 * when it is run or asked for help.
 */
import type { Program } from "../lib/cli/program.ts";

export const program: Program = {
  root: {
    summary: "Deploy and update the host from container images",
    commands: {
      upgrade: {
        summary: "Fetch the newest image and queue it for the next boot",
        aliases: ["update"],
        load: () => import("./upgrade.ts"),
      },
      switch: { summary: "Follow another image and queue it for the next boot", load: () => import("./switch.ts") },
      rollback: { summary: "Boot the previous deployment next", load: () => import("./rollback.ts") },
      edit: { summary: "Change the host's specification in an editor", load: () => import("./edit.ts") },
      status: { summary: "Show what the host runs and what it boots next", load: () => import("./status.ts") },
      image: {
        summary: "Look at the images that the host has",
        commands: {
          list: { summary: "List the images that the host has", load: () => import("./image/list.ts") },
        },
      },
    },
  },
  callNames: {
    // libostree runs /usr/libexec/libostree/ext/ostree-container for `ostree container ...`.
    "ostree-container": { words: ["internals", "ostree-container"], shown: "ostree container" },
    "bootc-systemd-generator": { words: ["internals", "systemd-generator"], shown: "bootc-systemd-generator" },
  },
};
