import { type Account, readAccounts, readSysusers } from "../accounts.ts";
import { quotePath } from "../quote.ts";
import type { Root } from "../root.ts";
import { lists, type PlaceLint } from "./lint.ts";

/** Debian's base-passwd: users and groups whose numbers are the same on every Debian system. */
const DEBIAN_STATIC = "usr/share/base-passwd";

export const sysusers: PlaceLint = {
  name: "sysusers",
  type: "warning",
  description:
    "Users of /etc/passwd and groups of /etc/group should be declared in /usr/lib/sysusers.d too (or be Debian's own static ones): " +
    "on a host whose /etc/passwd was changed, those of a later image do not arrive.",
  check(root) {
    const users = readAccounts(root, "etc/passwd", "passwd");
    if (!users) return undefined;
    const groups = readAccounts(root, "etc/group", "group") ?? [];
    const declared = readSysusers(root);
    return lists(
      {
        header: "Found /etc/passwd entry without corresponding systemd sysusers.d",
        items: undeclared(users, declared.users, staticAccounts(root, "passwd")),
      },
      {
        header: "Found /etc/group entry without corresponding systemd sysusers.d",
        items: undeclared(groups, declared.groups, staticAccounts(root, "group")),
      },
    );
  },
};

function staticAccounts(root: Root, form: "passwd" | "group"): ReadonlyMap<string, number> {
  const accounts = readAccounts(root, `${DEBIAN_STATIC}/${form}.master`, form) ?? [];
  return new Map(accounts.map(({ name, id }) => [name, id]));
}

function undeclared(accounts: Account[], declared: ReadonlySet<string>, fixed: ReadonlyMap<string, number>): string[] {
  const names = accounts.filter(({ name, id }) => !declared.has(name) && fixed.get(name) !== id).map(({ name }) =>
    name
  );
  return [...new Set(names)].sort().map(quoteText);
}

/** A name is text already; {@linkcode quotePath} wants its bytes. */
function quoteText(name: string): string {
  return quotePath(Array.from(new TextEncoder().encode(name), (byte) => String.fromCharCode(byte)).join(""));
}
