import { assertEquals } from "@std/assert";
import type { ListedName } from "../../lib/ostree/commit_tree.ts";
import { treeNotices } from "../../lib/host/tree_notices.ts";

/** A tree by its paths: a directory ends in a slash; a file has a text. */
function tree(paths: Readonly<Record<string, string>>): Parameters<typeof treeNotices>[0] {
  const list = (path: string): ListedName[] | undefined => {
    const prefix = path === "" ? "" : `${path}/`;
    const below = Object.keys(paths).filter((each) => each.startsWith(prefix));
    if (below.length === 0) return undefined;
    const names = below.map((each) => each.slice(prefix.length)).filter((each) => each !== "");
    const found = new Map<string, ListedName["kind"]>();
    for (const each of names) {
      const [name] = each.split("/");
      found.set(name!, each.includes("/") ? "directory" : "file");
    }
    return [...found].map(([name, kind]) => ({ name, kind }));
  };
  const readFile = (path: string) =>
    Promise.resolve(paths[path] === undefined ? undefined : new TextEncoder().encode(paths[path]));
  return { list, readFile };
}

const GOOD = {
  "sysroot/": "",
  "boot/": "",
  "ostree": "link",
  "usr/etc/machine-id": "",
  "home": "link",
  "opt": "link",
};

const ROWS: readonly [what: string, paths: Readonly<Record<string, string>>, notices: readonly string[]][] = [
  ["nothing of a good tree", GOOD, []],
  ["nothing of a machine-id that waits for its id", { ...GOOD, "usr/etc/machine-id": "uninitialized\n" }, []],
  ["all that is missing", { "usr/etc/hosts": "" }, [
    "warning: Image has no directory /sysroot: it cannot start",
    "warning: Image has no directory /boot: the host cannot see its boot entries",
    "warning: Image has no link /ostree to sysroot/ostree: the host cannot be updated",
    "warning: Image has no /etc/machine-id: the first boot starts what no preset enables",
  ]],
  ["two places for /etc", { ...GOOD, "etc/hosts": "" }, [
    "warning: Image has both /etc and /usr/etc: it cannot be deployed",
  ]],
  ["directories for data", { ...without(GOOD, "home", "opt"), "home/": "", "mnt/": "" }, [
    "warning: What the host writes to /home, /mnt is lost at its next update: make links to /var",
  ]],
  ["no directories for data where the root is sealed", {
    ...without(GOOD, "home"),
    "home/": "",
    "usr/lib/ostree/prepare-root.conf": "[composefs]\nenabled = yes\n",
  }, []],
];

function without(paths: Readonly<Record<string, string>>, ...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(paths).filter(([path]) => !names.includes(path)));
}

for (const [what, paths, notices] of ROWS) {
  Deno.test(`treeNotices() tells ${what}`, async () => assertEquals(await treeNotices(tree(paths)), notices));
}
