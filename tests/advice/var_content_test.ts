import { assertEquals } from "@std/assert";
import { declaredInVar, unseenVarContent } from "../../lib/advice/var_content.ts";
import type { ListedName } from "../../lib/ostree/commit_tree.ts";

/** Lists a tree that is given by its paths; directories end with a slash, parents are implied. */
function tree(...paths: string[]): (path: string) => ListedName[] {
  const names = new Map<string, Map<string, ListedName["kind"]>>();
  for (const path of paths) {
    const parts = path.replace(/\/$/, "").split("/");
    parts.forEach((name, index) => {
      const parent = parts.slice(0, index).join("/");
      const kind = index < parts.length - 1 || path.endsWith("/") ? "directory" : "file";
      names.set(parent, (names.get(parent) ?? new Map()).set(name, kind));
    });
  }
  return (path) => [...names.get(path) ?? []].map(([name, kind]) => ({ name, kind }));
}

interface Row {
  readonly next: string[];
  readonly current?: string[];
  readonly host?: string[];
  readonly tmpfiles?: string[];
  readonly expected: string[];
}

const rows: Record<string, Row> = {
  "names new files": { next: ["lib/a", "lib/b"], current: ["lib/a"], host: ["lib"], expected: ["lib/b"] },
  "names a new directory once": { next: ["lib/x/1", "lib/x/2/3"], host: ["lib"], expected: ["lib/x"] },
  "names an empty directory": { next: ["lib/x/"], host: ["lib"], expected: ["lib/x"] },
  "is silent where the host has it": { next: ["lib/x/1"], host: ["lib", "lib/x", "lib/x/1"], expected: [] },
  "is silent of what the current image has too, whatever the host did with it": {
    next: ["lib/x/1"],
    current: ["lib/x/1"],
    expected: [],
  },
  "looks into a directory that the host has": { next: ["lib/x/1"], host: ["lib", "lib/x"], expected: ["lib/x/1"] },
  "is silent of a directory that tmpfiles.d makes": {
    next: ["lib/x/"],
    host: ["lib"],
    tmpfiles: ["d /var/lib/x 0755 root root -"],
    expected: [],
  },
  "names files in a directory that tmpfiles.d makes empty": {
    next: ["lib/x/1"],
    host: ["lib"],
    tmpfiles: ["d /var/lib/x"],
    expected: ["lib/x/1"],
  },
  "is silent of what tmpfiles.d copies": {
    next: ["lib/x/1", "lib/x/2/3"],
    host: ["lib"],
    tmpfiles: ["C+ /var/lib/x - - - - /usr/share/x"],
    expected: [],
  },
  "is silent of what tmpfiles.d links": {
    next: ["lib/x/1"],
    host: ["lib"],
    tmpfiles: ["L+ /var/lib/x - - - - /usr/share/x"],
    expected: [],
  },
  "knows that tmpfiles.d makes the way": {
    next: ["lib/x/y/", "lib/x/z/"],
    host: ["lib"],
    tmpfiles: ["d /var/lib/x/y"],
    expected: ["lib/x/z"],
  },
  "counts no line that only adjusts or removes": {
    next: ["lib/x/"],
    host: ["lib"],
    tmpfiles: ["z /var/lib/x 0700", "# d /var/lib/x", "R /var/lib/x", "x /var/lib/x", "e /var/lib/x"],
    expected: ["lib/x"],
  },
  "knows the specifiers of directories in /var": {
    next: ["lib/x/", "cache/y/", "log/z/"],
    host: ["lib", "cache", "log"],
    tmpfiles: ["d %S/x", "d %C/y", "d %L/z/"],
    expected: [],
  },
  "follows links at the top of the image": {
    next: ["roothome/.ssh/"],
    host: ["roothome"],
    tmpfiles: ['d "/root//.ssh" 0700'],
    expected: [],
  },
  "does not take the path of another top for one in /var": {
    next: ["lib/x/"],
    host: ["lib"],
    tmpfiles: ["d /srv/lib/x", "d lib/x", "d /var", "d"],
    expected: ["lib/x"],
  },
  "passes over what a build leaves behind": {
    next: ["tmp/x", "cache/apt/pkgcache.bin", "log/dpkg.log", "cache/new/", "log/nginx/"],
    host: ["cache", "log", "cache/apt", "tmp"],
    expected: ["cache/new", "log/nginx"],
  },
  "lists in the order of bytes": { next: ["b", "a", "c"], expected: ["a", "b", "c"] },
};
for (const [fact, { next, current = [], host = [], tmpfiles = [], expected }] of Object.entries(rows)) {
  Deno.test(`unseenVarContent() ${fact} (F1)`, () => {
    const link = (name: string) => name === "root" ? "var/roothome" : undefined;
    const unseen = unseenVarContent({
      next: tree(...next),
      current: tree(...current),
      onHost: (path) => host.includes(path),
      declared: declaredInVar(tmpfiles, link),
    });
    assertEquals(unseen, expected);
  });
}

/** Directories in directories, without an end. */
const ENDLESS: ListedName[] = [{ name: "d", kind: "directory" }, { name: "f", kind: "file" }];

Deno.test("unseenVarContent() goes no deeper than a path can be (F1)", () => {
  const unseen = unseenVarContent({
    next: () => ENDLESS,
    current: () => [],
    onHost: (path) => path.endsWith("d"),
    declared: declaredInVar([`d /var${"/d".repeat(1_000_000)}`], () => undefined),
  });
  assertEquals([unseen.length, unseen.at(-1)], [2048, "f"]);
});

Deno.test("unseenVarContent() looks at so many names and no more (F1)", () => {
  const many: ListedName[] = Array.from({ length: 60_000 }, (_, index) => ({ name: `n${index}`, kind: "file" }));
  const unseen = unseenVarContent({
    next: (path) => path === "" ? many : [],
    current: () => [],
    onHost: () => false,
    declared: declaredInVar([], () => undefined),
  });
  assertEquals(unseen.length, 50_000);
});
