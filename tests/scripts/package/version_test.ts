import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../lib/sys/errors.ts";
import { DENO_VERSION } from "../../../scripts/denort.ts";
import { checkVersion, snapshotVersion, versionOfTag } from "../../../scripts/package/version.ts";

for (const [tag, version] of [["v0.2.0", "0.2.0"], ["v1", "1"], ["v1.0.0-rc.1", "1.0.0~rc.1"]] as const) {
  Deno.test(`versionOfTag() makes ${version} of ${tag}`, () => {
    assertEquals(versionOfTag(tag), version);
    assertEquals(checkVersion(version), version);
  });
}

for (const tag of ["1.0", "release-1", "v1.0-rc-1", "v1.0+build", "vNext", "v", ""]) {
  Deno.test(`versionOfTag() refuses "${tag}"`, () => {
    const error = assertThrows(() => versionOfTag(tag), UserError);
    assertEquals(error.message, `The tag "${tag}" is no version that a package can have`);
    assertEquals(error.hint, `Name it like "v1.2.0" or "v1.2.0-rc.1", or give a version with --version`);
  });
}

for (const version of ["", "abc", "1-2", "1:2", "1 2", "1/2", "../1", "1~2~3", "$(id)", "1\n2"]) {
  Deno.test(`checkVersion() refuses ${JSON.stringify(version)}`, () => {
    assertThrows(() => checkVersion(version), UserError, "is no version that a package can have");
  });
}

Deno.test("snapshotVersion() is the minute in UTC and the commit", () => {
  assertEquals(snapshotVersion("0123abcd".padEnd(40, "0"), 1_796_079_427), "202611302257.g0123abcd");
});

Deno.test("DENO_VERSION is the one that pip's requirements pin", async () => {
  const text = await Deno.readTextFile(new URL("../../../scripts/deno.requirements.txt", import.meta.url));
  assertEquals(/^deno==(\S+) /m.exec(text)?.[1], DENO_VERSION);
});
