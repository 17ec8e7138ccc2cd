/** What an image's tree shows that would go wrong on the booted host, though nothing fails before. Source: platform.md 5.2. */
import { VAR_PATHS } from "../container/path_filter.ts";
import type { CommitTree } from "../ostree/commit_tree.ts";

const CONFIG_MAX_BYTES = 1 << 16;

type LookedAt = Pick<CommitTree, "list" | "readFile">;

/** Directories for a host's own data: without a link into /var they are the deployment's, and gone with it. */
const FOR_DATA = ["home", "root", "srv", "mnt", "opt"];

/**
 * Lines for people, each with what goes wrong. A missing /sysroot is said here too: the layers' merge may be told to make one.
 * @throws {GlibError} when an object is damaged
 */
export async function treeNotices(tree: LookedAt): Promise<string[]> {
  const top = new Map((tree.list("") ?? []).map(({ name, kind }) => [name, kind]));
  const notices: string[] = [];
  const add = (text: string) => notices.push(`warning: ${text}`);
  if (top.get("sysroot") !== "directory") add("Image has no directory /sysroot: it cannot start");
  if (top.get("boot") !== "directory") add("Image has no directory /boot: the host cannot see its boot entries");
  if (top.get("ostree") !== "file") add("Image has no link /ostree to sysroot/ostree: the host cannot be updated");
  if (tree.list("etc") !== undefined && tree.list("usr/etc") !== undefined) {
    add("Image has both /etc and /usr/etc: it cannot be deployed");
  }
  const machineId = await tree.readFile("usr/etc/machine-id", CONFIG_MAX_BYTES);
  if (machineId === undefined) add("Image has no /etc/machine-id: the first boot starts what no preset enables");
  else if (!/^(?:uninitialized)?\s*$/.test(new TextDecoder().decode(machineId))) {
    add("Image has an /etc/machine-id with an id in it, which all its hosts will share; make it empty");
  }
  const lost = FOR_DATA.filter((name) => top.get(name) === "directory");
  if (lost.length > 0 && !await isSealed(tree)) {
    add(
      `What the host writes to ${
        lost.map((name) => `/${name}`).join(", ")
      } is lost at its next update: make links to /var`,
    );
  }
  if (Object.values(VAR_PATHS).some((path) => tree.list(`${path}/lib/dpkg`) !== undefined)) {
    add("Image has its package database in /var/lib/dpkg, which no update changes; move it to /usr/lib/sysimage/dpkg");
  }
  return notices;
}

/** With composefs the root is read-only: a write there fails, and nothing is lost. */
async function isSealed(tree: LookedAt): Promise<boolean> {
  const config = await tree.readFile("usr/lib/ostree/prepare-root.conf", CONFIG_MAX_BYTES);
  return config !== undefined &&
    /^\s*enabled\s*=\s*(?:yes|true|1|signed|verity)\s*$/m.test(new TextDecoder().decode(config));
}
