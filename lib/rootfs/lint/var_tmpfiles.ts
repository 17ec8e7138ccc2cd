import { readAccounts } from "../accounts.ts";
import { quotePath } from "../quote.ts";
import type { Root } from "../root.ts";
import { directoryLine, linkLine, placeKey, readDeclaredPlaces } from "../tmpfiles.ts";
import { type Entry, walk } from "../walk.ts";
import { lists, type PlaceLint } from "./lint.ts";

export const varTmpfiles: PlaceLint = {
  name: "var-tmpfiles",
  type: "warning",
  rootType: "running",
  description:
    "What is in /var should be declared in tmpfiles.d, which makes it at each boot: /var comes from the image at the first deployment " +
    "alone. Shows the lines that are missing, and the files for which there is no line.",
  async check(root, signal) {
    const declared = readDeclaredPlaces(root);
    const users = namesById(root, "passwd"), groups = namesById(root, "group");
    const lines = new Set<string>(), files: string[] = [];
    await walk(root, (entry) => {
      if (declared.has(placeKey(entry.parent.identity, entry.name))) return;
      const line = lineFor(entry, { users, groups });
      if (line === undefined) files.push(quotePath(entry.path));
      else lines.add(line);
    }, { start: "var", signal });
    return lists(
      { header: "Found content in /var missing systemd tmpfiles.d entries", items: [...lines].sort() },
      { header: "Found non-directory/non-symlink files in /var", items: files },
    );
  },
};

type Names = ReadonlyMap<number, string>;

function namesById(root: Root, form: "passwd" | "group"): Names {
  const accounts = readAccounts(root, `etc/${form}`, form) ?? [];
  // The first of a number counts, as for the C library.
  return new Map(accounts.toReversed().map(({ name, id }) => [id, name]));
}

/** Undefined for what tmpfiles.d does not make: files with content, devices. */
function lineFor(
  { path, name, type, directory }: Entry,
  { users, groups }: { users: Names; groups: Names },
): string | undefined {
  if (type === "symlink") return linkLine(`/${path}`, directory.readLink(name) ?? "");
  const stat = type === "directory" ? directory.lstat(name) : undefined;
  if (!stat) return undefined;
  const owner = { user: users.get(stat.uid) ?? String(stat.uid), group: groups.get(stat.gid) ?? String(stat.gid) };
  return directoryLine(`/${path}`, stat, owner);
}
