import { assertEquals } from "@std/assert";
import { Variant } from "../../lib/codec/gvariant.ts";
import { filteredAs, hasFactoryVar } from "../../lib/container/layer_commit.ts";
import type { FilterRules } from "../../lib/container/path_filter.ts";
import { newCommit } from "../../lib/ostree/commit.ts";

const RULES: FilterRules = { keepAll: false, varPath: "var", policy: "p" };

/** Whether it is what the rules would make, and whether its /var is factory content. */
const rows: [what: string, filter: string | undefined, filtered: boolean, factory: boolean][] = [
  ["what the same rules made", "usr:var:p", true, false],
  ["a /var of an older libostree", "usr:usr/share/factory/var:p", false, true],
  ["another SELinux policy's labels", "usr:var:q", false, false],
  ["what kept all top-level names", "all:var:p", false, false],
  ["a place for /var that nobody knows", "usr:elsewhere:p", false, false],
  ["foreign commits", undefined, true, false],
];

for (const [what, filter, filtered, factory] of rows) {
  Deno.test(`filteredAs() and hasFactoryVar() tell of ${what}`, () => {
    const metadata = new Map(filter === undefined ? [] : [["bootc.layer.filter", new Variant("s", filter)]]);
    const zeros = "0".repeat(64);
    const commit = newCommit({ timestampSeconds: 0, rootTree: zeros, rootMeta: zeros, metadata });
    assertEquals([filteredAs(commit, RULES), hasFactoryVar(commit)], [filtered, factory]);
  });
}
