import { assertEquals } from "@std/assert";
import { Variant } from "../../lib/codec/gvariant.ts";
import { filteredAs } from "../../lib/container/layer_commit.ts";
import type { FilterRules } from "../../lib/container/path_filter.ts";
import { newCommit } from "../../lib/ostree/commit.ts";

const RULES: FilterRules = { keepAll: false, varPath: "var", policy: "p" };

const rows: [fact: string, filter: string | undefined, expected: boolean][] = [
  ["takes what the same rules made", "usr:var:p", true],
  ["takes what went elsewhere with /var alone, by another version of libostree", "usr:usr/share/factory/var:p", true],
  ["refuses another SELinux policy's labels", "usr:var:q", false],
  ["refuses what kept all top-level names", "all:var:p", false],
  ["refuses what it does not know", "usr:elsewhere:p", false],
  ["takes foreign commits", undefined, true],
];

for (const [fact, filter, expected] of rows) {
  Deno.test(`filteredAs() ${fact}`, () => {
    const metadata = new Map(filter === undefined ? [] : [["bootc.layer.filter", new Variant("s", filter)]]);
    const zeros = "0".repeat(64);
    const commit = newCommit({ timestampSeconds: 0, rootTree: zeros, rootMeta: zeros, metadata });
    assertEquals(filteredAs(commit, RULES), expected);
  });
}
