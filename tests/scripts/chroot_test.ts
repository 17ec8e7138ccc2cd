import { assertEquals } from "@std/assert";
import { diffRoots, whiteout } from "../../scripts/demo/chroot.ts";

Deno.test("diffRoots() lists new and changed paths, and of what is gone the topmost", () => {
  const before = new Map([["etc", "d"], ["etc/a", "f 1"], ["etc/b", "f 1"], ["gone", "d"], ["gone/x", "f"], [
    "etc/c",
    "f",
  ]]);
  const after = new Map([["etc", "d"], ["etc/a", "f 2"], ["etc/b", "f 1"], ["etc/new", "f"]]);
  assertEquals(diffRoots(before, after), { changed: ["etc/a", "etc/new"], removed: ["etc/c", "gone"] });
});

Deno.test("whiteout() stands beside what it removes", () => {
  assertEquals(["usr/bin/less", "top"].map(whiteout), ["usr/bin/.wh.less", ".wh.top"]);
});
