import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UserError } from "../../../lib/sys/errors.ts";
import { renderChangelog } from "../../../scripts/package/deb.ts";
import { deliver, workDirectory } from "../../../scripts/package/outdir.ts";
import { rebuildArgv, renderSpec, requireBuildPath } from "../../../scripts/package/rpm.ts";
import { tempDir } from "../../temp.ts";

const commit = "0123abcd".padEnd(40, "0");

Deno.test("renderSpec() sets the version and says who did", () => {
  assertEquals(
    renderSpec("Name:           bootc\nVersion:        0\nRelease: 1\n", "1.2"),
    "Name:           bootc\n# Replaced by scripts/package-rpm.ts\nVersion:        1.2\nRelease: 1\n",
  );
});

Deno.test("renderSpec() refuses a template without a version", () => {
  assertThrows(() => renderSpec("Name: bootc\n", "1.2"), UserError, "has no line that begins with Version:");
});

Deno.test("renderChangelog() has the form that dpkg reads", () => {
  assertEquals(
    renderChangelog({ version: "1.2", commit, time: 1_796_079_427 }),
    `bootc (1.2) unstable; urgency=medium

  * Built from commit ${commit}.

 -- the bootc-ts contributors <bootc-ts@localhost>  Mon, 30 Nov 2026 22:57:07 +0000
`,
  );
});

Deno.test("requireBuildPath() refuses what rpmbuild takes for two words or a macro", () => {
  requireBuildPath("/var/tmp/bootc-package-1");
  for (const path of ["/a b", "/a%b", "/a'b", "/ü"]) {
    const error = assertThrows(() => requireBuildPath(path), UserError);
    assertEquals(error.message, `rpmbuild cannot build in "${path}"`);
  }
});

Deno.test("rebuildArgv() checks build requirements where RPM knows them", () => {
  const argv = (checkRequirements: boolean) =>
    rebuildArgv("a.src.rpm", { topdir: "/top", arch: "aarch64", checkRequirements }).join(" ");
  assertEquals(argv(true), "rpmbuild --rebuild --quiet --target aarch64 --define _topdir /top -- a.src.rpm");
  assertEquals(argv(false), "rpmbuild --rebuild --quiet --target aarch64 --nodeps --define _topdir /top -- a.src.rpm");
});

Deno.test("deliver() makes the directory and leaves nothing half-written in it", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/a.rpm`, "a");
  const outdir = `${tmp.path}/new/out`;
  assertEquals(await deliver([`${tmp.path}/a.rpm`], outdir), [`${outdir}/a.rpm`]);
  assertEquals([...Deno.readDirSync(outdir)].map(({ name }) => name), ["a.rpm"]);
});

Deno.test("deliver() leaves nothing where a file cannot get its name", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/a.rpm`, "a");
  const outdir = `${tmp.path}/out`;
  await Deno.mkdir(`${outdir}/a.rpm`, { recursive: true });
  await assertRejects(() => deliver([`${tmp.path}/a.rpm`], outdir), UserError, "Cannot write packages to");
  assertEquals([...Deno.readDirSync(outdir)].map(({ name }) => name), ["a.rpm"]);
});

Deno.test("workDirectory() says which directory it cannot use", async () => {
  const error = await assertRejects(() => workDirectory({ TMPDIR: "/nonexistent" }), UserError);
  assertEquals(error.message, 'Cannot make a scratch directory in "/nonexistent"');
});

Deno.test("deliver() says which directory it cannot write to", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/a.rpm`, "a");
  const error = await assertRejects(() => deliver([`${tmp.path}/a.rpm`], `${tmp.path}/a.rpm`), UserError);
  assertEquals(error.message, `Cannot write packages to "${tmp.path}/a.rpm"`);
});
