import { assertEquals, assertStringIncludes } from "@std/assert";
import { deployWithOstree, makeOsCommit, makeSysroot, sysrootDirectory } from "../sysroot.ts";
import { tempDir } from "../temp.ts";
import { bootc, bootcWith } from "./bootc.ts";

const FIXTURES = new URL("../fixtures/status/", import.meta.url).pathname;
const read = (name: string) => Deno.readTextFile(FIXTURES + name);

const TEXTS: readonly (readonly [document: string, expected: string, ...flags: string[]])[] = [
  ["images.yaml", "images.txt"],
  ["images.yaml", "images.verbose.txt", "--verbose"],
  ["images.yaml", "images.booted.txt", "--booted"],
  ["ostree.yaml", "ostree.txt"],
  ["ostree.yaml", "ostree.verbose.txt", "-v"],
  ["v1-full.json", "v1-full.txt"],
  ["v1-full.json", "v1-full.verbose.txt", "-v"],
  ["v1-null.json", "v1-null.txt"],
  ["v1alpha1-staged-booted.yaml", "v1alpha1-staged-booted.txt"],
  ["staged-only.yaml", "staged-only.txt"],
  ["hostile.yaml", "hostile.txt"],
];
for (const [document, expected, ...flags] of TEXTS) {
  Deno.test(`bootc status --from ${document} --format=humanreadable ${flags.join(" ")} prints ${expected}`, async () => {
    const { code, stdout, stderr } = await bootc(
      "status",
      "--from",
      FIXTURES + document,
      "--format=humanreadable",
      ...flags,
    );
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: await read(expected), stderr: "" });
  });
}

Deno.test("bootc status --json ends the line on a terminal", async () => {
  const words = ["status", "--from", `${FIXTURES}v1-null.json`, "--json"];
  const { stdout } = await bootcWith({ ctx: { stdoutIsTerminal: true } }, ...words);
  assertEquals(stdout, `${(await bootc(...words)).stdout}\n`);
});

Deno.test("bootc status --from --json prints canonical JSON without a newline", async () => {
  const { stdout } = await bootc("status", "--from", `${FIXTURES}v1-null.json`, "--json");
  assertEquals(
    stdout,
    '{"apiVersion":"org.containers.bootc/v1","kind":"BootcHost","metadata":{"name":"host"},"spec":{"bootOrder":"default","image":null},' +
      '"status":{"booted":null,"readOnly":false,"rollback":null,"rollbackQueued":false,"staged":null,"type":null,"usrOverlay":null}}',
  );
});

Deno.test("bootc status --from --format=yaml prints the document in its own order", async () => {
  const json = await bootc("status", "--from", `${FIXTURES}v1-full.json`, "--format=yaml");
  const yaml = await bootc("status", "--from", `${FIXTURES}v1-full.yaml`, "--format=yaml");
  assertEquals(json.stdout, yaml.stdout);
  assertEquals(yaml.stdout, await read("v1-full.yaml"));
});

Deno.test("bootc status --from - reads standard input, YAML off a terminal", async () => {
  const stdin = await read("v1-full.json");
  const { code, stdout } = await bootcWith({ stdin }, "status", "--from", "-");
  assertEquals({ code, stdout }, { code: 0, stdout: await read("v1-full.yaml") });
});

const BAD: readonly (readonly [string, string])[] = [
  ["no document", "hello"],
  ["broken JSON", '{"apiVersion":'],
  ["another kind", "apiVersion: org.containers.bootc/v1\nkind: Pod\n"],
  ["nothing", ""],
  ["broken YAML", "a: ["],
  ["too many levels", "[".repeat(20_000)],
];
for (const [what, text] of BAD) {
  Deno.test(`bootc status --from refuses ${what}`, async () => {
    const { code, stdout, stderr } = await bootcWith({ stdin: text }, "status", "--from", "-");
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, 'error: Cannot show "-": ');
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  });
}

Deno.test("bootc status exits 0 with an empty document off a host (U17, T27)", async () => {
  const { code, stdout } = await bootc("status", "--format=humanreadable");
  assertEquals({ code, stdout }, { code: 0, stdout: "System is not deployed via bootc.\n" });
});

Deno.test("bootc status refuses another format version", async () => {
  const { code, stderr } = await bootc("status", "--format-version", "2");
  assertEquals({ code, stderr }, {
    code: 1,
    stderr: "error: Unsupported format version: 2\nhint: Use 1, or leave the option out\n",
  });
});

Deno.test("bootc status --sysroot shows plain ostree deployments, and writes nothing (U17)", async () => {
  await using root = await sysrootDirectory();
  const sysroot = await makeSysroot(root.path);
  const commit = await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  const before = await tree(root.path);
  const { code, stdout } = await bootc("status", "--sysroot", root.path, "--format=humanreadable");
  assertEquals({ code, stdout }, { code: 0, stdout: `  Default ostree\n          Commit: ${commit}\n` });
  const json = JSON.parse((await bootc("status", "--sysroot", root.path, "--json")).stdout);
  assertEquals([json.status.booted, json.status.otherDeployments[0].ostree.checksum], [null, commit]);
  assertEquals(await tree(root.path), before);
});

/** Names and change times below a directory. */
async function tree(path: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("find", { args: [path, "-printf", "%p %C@\\n"] }).output();
  return new TextDecoder().decode(stdout).split("\n").sort();
}

Deno.test("bootc status --sysroot names a directory that is no system root", async () => {
  await using tmp = await tempDir();
  const { code, stderr } = await bootc("status", "--sysroot", tmp.path);
  assertEquals(code, 1);
  assertStringIncludes(stderr, `error: Cannot read the system root "${tmp.path}"`);
});
