/** Names at the top of the root, beside /usr, /etc and /var. Both lints are ours. */
import { filterPath, type FilterRules } from "../../container/path_filter.ts";
import { hasOverlay } from "../prepare_root.ts";
import { quotePath } from "../quote.ts";
import type { Root } from "../root.ts";
import { lists, type PlaceLint } from "./lint.ts";

/** As an ostree base without composefs or a transient root has a derived layer filtered. */
const RULES: FilterRules = { keepAll: false, varPath: "var", policy: "" };

/** Every root has these itself; lints of their own look at them. */
const OF_THE_BASE = new Set(["boot", "ostree", "sysroot"]);
/** Every root has these too, as links or empty: only what is in them is new. */
const STANDARD = new Set([
  "bin",
  "sbin",
  "lib",
  "lib32",
  "lib64",
  "libx32",
  "home",
  "root",
  "srv",
  "mnt",
  "opt",
  "media",
]);
/** A container engine's mark on the running container, and a file system's own directory: in no image. */
const NOT_IN_IMAGES = new Set([".dockerenv", "lost+found"]);

/** Trap T26: what an import leaves out is gone without a failure. */
export const droppedContent: PlaceLint = {
  name: "dropped-content",
  type: "warning",
  description:
    "Derived layers on an ostree base bring /usr, /etc and /var alone; what they have elsewhere, such as below /opt, /srv, /root " +
    "or a new name at the top, is left out at import. Not so with composefs, a transient root, or an image without an ostree base.",
  check(root) {
    if (hasOverlay(root)) return undefined;
    const items = (root.names("") ?? []).flatMap(({ name, type }) => {
      if (filterPath(name, RULES).kind !== "drop") return [];
      if (OF_THE_BASE.has(name) || NOT_IN_IMAGES.has(name) || root.isMountPoint(name)) return [];
      if (!STANDARD.has(name)) return [name];
      return type === "directory" ? contentOf(root, name) : [];
    });
    return lists({
      header: "Found content outside /usr, /etc and /var, which an import onto an ostree base leaves out",
      items: items.map((path) => quotePath(`/${path}`)),
    });
  },
};

function contentOf(root: Root, directory: string): string[] {
  const paths = (root.names(directory) ?? []).map(({ name }) => `${directory}/${name}`);
  return paths.filter((path) => !root.isMountPoint(path));
}

const WRITTEN_TO = ["home", "mnt", "opt", "root", "srv"];

/** Where people and programs keep what must last. */
export const stateDirectories: PlaceLint = {
  name: "state-directories",
  type: "warning",
  description:
    "/home, /root, /srv, /mnt and /opt should be links into /var (made there by tmpfiles.d): as directories of the image they can be " +
    "written to, and what was written is lost at the next upgrade. Not so with composefs or a transient root.",
  check(root) {
    if (hasOverlay(root)) return undefined;
    const directories = WRITTEN_TO.filter((name) => root.stat(name)?.type === "directory" && !root.isMountPoint(name));
    return lists({
      header: "Found directories whose content the next upgrade would lose; make them links into /var",
      items: directories.map((name) => `/${name}`),
    });
  },
};
