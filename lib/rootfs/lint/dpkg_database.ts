import { DPKG_DATABASE, DPKG_IN_IMAGE } from "../dpkg.ts";
import type { PlaceLint } from "./lint.ts";

/** Ours. An image is built with the database in the image and a link here, which tmpfiles.d makes again on the running system. */
export const dpkgDatabase: PlaceLint = {
  name: "dpkg-database",
  type: "warning",
  description:
    `dpkg's database should be in /${DPKG_IN_IMAGE}, with a line of tmpfiles.d that makes /${DPKG_DATABASE} a link to it: ` +
    "/var comes from the image at the first deployment alone, so that the list of packages would never be updated.",
  check(root) {
    const database = root.stat(DPKG_DATABASE)?.type === "directory" &&
      root.stat(`${DPKG_DATABASE}/status`) !== undefined;
    return database
      ? `/${DPKG_DATABASE} is a directory, which upgrades do not reach; move it to /${DPKG_IN_IMAGE}`
      : undefined;
  },
};
