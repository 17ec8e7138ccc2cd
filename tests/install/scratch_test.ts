import { assertEquals } from "@std/assert";
import { withScratch } from "../../lib/install/scratch.ts";
import { plainContext } from "../../lib/sys/context.ts";

const CASES: readonly [what: string, env: Record<string, string>, varTmp: string, expected: string | undefined][] = [
  ["leaves a system with /var/tmp alone", {}, "/tmp", undefined],
  ["leaves TMPDIR to the caller", { TMPDIR: "/mine" }, "/nowhere", "/mine"],
  ["gives a container without /var/tmp another directory", {}, "/nowhere", "/target"],
  ["takes a file for no directory", {}, "/etc/passwd", "/target"],
];
for (const [what, env, varTmp, expected] of CASES) {
  Deno.test(`withScratch() ${what}`, async () => {
    assertEquals((await withScratch(plainContext(env), "/target", varTmp)).env["TMPDIR"], expected);
  });
}
