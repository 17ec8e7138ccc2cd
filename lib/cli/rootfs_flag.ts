/** The flag of commands on a root file system, so that it reads alike everywhere. */
export const rootfsFlag = {
  kind: "string",
  metavar: "DIR",
  complete: "directory",
  default: "/",
  help: "The root file system to look at",
} as const;
