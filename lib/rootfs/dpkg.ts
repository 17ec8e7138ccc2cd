/** What tells a root that was made of Debian packages. */
import type { Root } from "./root.ts";

/** Where dpkg looks for its database. */
export const DPKG_DATABASE = "var/lib/dpkg";
/** Where an image can keep it, as /var is not part of an image's updates. */
export const DPKG_IN_IMAGE = "usr/lib/sysimage/dpkg";

/** Whether dpkg installed what is in the root. @throws {UserError} */
export function isDebian(root: Root): boolean {
  return [DPKG_DATABASE, DPKG_IN_IMAGE].some((directory) => root.stat(`${directory}/status`) !== undefined);
}

/** Whether libcomposefs is there, in a directory of one architecture or of all. @throws {UserError} */
export function hasLibcomposefs(root: Root): boolean {
  const has = (directory: string) =>
    root.names(directory)?.some(({ name }) => name.startsWith("libcomposefs.so")) ?? false;
  const triplets = (root.names("usr/lib") ?? []).filter(({ name, type }) =>
    type === "directory" && /-linux-/.test(name)
  );
  return has("usr/lib") || has("usr/lib64") || triplets.some(({ name }) => has(`usr/lib/${name}`));
}
