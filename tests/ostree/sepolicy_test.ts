import { assertEquals, assertThrows } from "@std/assert";
import { GlibError } from "../../lib/ostree/glib.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { SePolicy } from "../../lib/ostree/sepolicy.ts";
import { ostreeInit } from "../ostree_cli.ts";
import { makeOsCommit, writeOsTree } from "../sysroot.ts";
import { tempDir } from "../temp.ts";
import { CONTEXTS, tinyPolicy } from "../tiny_policy.ts";

const S_IFREG = 0o100000, S_IFDIR = 0o040000;
const labels: [string, number, string | undefined][] = [
  ["/", S_IFDIR | 0o755, "system_u:object_r:default_t:s0"],
  ["/usr/lib/x", S_IFREG | 0o644, "system_u:object_r:usr_t:s0"],
  ["/usr/bin/sh", S_IFREG | 0o755, "system_u:object_r:bin_t:s0"],
  ["/usr/bin", S_IFDIR | 0o755, "system_u:object_r:bin_t:s0"],
  ["/etc/shadow", S_IFREG | 0o600, "system_u:object_r:shadow_t:s0"],
  ["/etc/shadow", S_IFDIR | 0o700, "system_u:object_r:etc_t:s0"],
  ["/run/x", S_IFREG | 0o644, undefined],
];

Deno.test("SePolicy.fromCommit() labels paths by the commit's policy", async () => {
  await using tmp = await tempDir();
  await ostreeInit(`${tmp.path}/repo`, "bare-user");
  const commit = await makeOsCommit(`${tmp.path}/repo`, { files: tinyPolicy() });
  using repo = Repo.open(`${tmp.path}/repo`);
  using found = SePolicy.fromCommit(repo, commit)!;
  assertEquals(found.name, "tiny");
  assertEquals(found.checksum, "9a3a45d01531a20e89ac6ae10b0b0beb0492acd7216a368aa062d1a5fecaf9cd");
  for (const [path, mode, label] of labels) assertEquals(found.label(path, mode), label, path);
});

Deno.test("SePolicy.fromDirectory() labels paths by the directory's policy, also beside another", async () => {
  await using tmp = await tempDir();
  const other = CONTEXTS.replaceAll("usr_t", "other_t");
  await writeOsTree(`${tmp.path}/one`, { files: tinyPolicy() });
  await writeOsTree(`${tmp.path}/two`, { files: tinyPolicy({ contexts: other, mode: "permissive" }) });
  using one = SePolicy.fromDirectory(`${tmp.path}/one`)!;
  using two = SePolicy.fromDirectory(`${tmp.path}/two`)!;
  assertEquals(one.label("/usr/lib/x", S_IFREG), "system_u:object_r:usr_t:s0");
  assertEquals(two.label("/usr/lib/x", S_IFREG), "system_u:object_r:other_t:s0");
});

for (const [what, files] of [["no policy", {}], ["a disabled policy", tinyPolicy({ mode: "disabled" })]] as const) {
  Deno.test(`SePolicy.fromCommit() is undefined for ${what}`, async () => {
    await using tmp = await tempDir();
    await ostreeInit(`${tmp.path}/repo`, "bare-user");
    const commit = await makeOsCommit(`${tmp.path}/repo`, { files });
    using repo = Repo.open(`${tmp.path}/repo`);
    assertEquals(SePolicy.fromCommit(repo, commit), undefined);
  });
}

Deno.test("SePolicy.fromDirectory() refuses a policy without contexts", async () => {
  await using tmp = await tempDir();
  await writeOsTree(`${tmp.path}/tree`, {
    files: { "usr/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=none\n" },
  });
  assertThrows(() => SePolicy.fromDirectory(`${tmp.path}/tree`), GlibError);
});
