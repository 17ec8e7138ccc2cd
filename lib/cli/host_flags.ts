/** Flags that several commands on hosts share, so that they read alike everywhere. */

/** Which host is meant. */
export const sysrootFlag = {
  kind: "string",
  metavar: "DIR",
  complete: "directory",
  help: "Work on the system root in DIR instead of the running host",
} as const;

/** Which host is meant, by commands that units run: a test's. */
export const rootFlag = {
  kind: "string",
  metavar: "DIR",
  default: "/",
  hidden: true,
  complete: "directory",
  help: "Take DIR for the root of the host",
} as const;

/** Flags of a command that fetches an image and queues it. */
export const moveFlags = {
  quiet: { help: "Show no progress" },
  verbose: { short: "v", help: "List the paths that the image has and an ostree tree cannot hold" },
  apply: { help: "Reboot when the new image is queued" },
  softReboot: {
    kind: "enum",
    values: ["required", "auto"],
    metavar: "MODE",
    help: "Prepare to restart user space alone, where the new image allows it; with --apply, do it",
  },
  progressFd: {
    kind: "integer",
    metavar: "FD",
    hidden: true,
    help: "Write progress as JSON lines to the open descriptor FD",
  },
} as const;
