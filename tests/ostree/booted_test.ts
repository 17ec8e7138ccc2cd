import { assertEquals, assertMatch } from "@std/assert";
import { Booted, type BootedOptions } from "../booted.ts";
import { mayMount } from "../may_mount.ts";
import { deployWithOstree, makeOsCommit, makeSysroot, sysrootDirectory } from "../sysroot.ts";
import type { Seen } from "./stage_in_chroot.ts";

const ignore = !await mayMount();
const test = (name: string, fn: () => Promise<void>) => Deno.test(name, { ignore }, fn);

/** A booted system of "v1", with "v2" in its repository. */
async function bootedSystem(path: string, options: BootedOptions = {}) {
  const sysroot = await makeSysroot(path);
  const v1 = await makeOsCommit(sysroot.repo, { ref: "v1", kernelVersion: "6.1", files: { "usr/version": "1\n" } });
  const v2 = await makeOsCommit(sysroot.repo, { ref: "v2", kernelVersion: "6.2", files: { "usr/version": "2\n" } });
  await deployWithOstree(sysroot, { ref: "v1" });
  return { booted: await Booted.boot(sysroot, options), v1, v2 };
}

async function ours(system: Booted, ...args: string[]): Promise<Seen[]> {
  const { code, stdout, stderr } = await system.deno("tests/ostree/stage_in_chroot.ts", args);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const list = (deployments: readonly Seen[]) =>
  deployments.map((d) => [d.checksum, d.booted ? "booted" : "", d.staged ? "staged" : "", d.finalizationLocked]);

test("Booted.boot() looks booted to ostree, and programs of the host run in it", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1 } = await bootedSystem(tmp.path, { mounts: { "/tmp/given": tmp.path } });
  await using system = booted;
  const [only] = await system.status();
  assertEquals([only?.booted, only?.checksum], [true, v1]);
  assertEquals(await system.text("cat", "/usr/version"), "1\n");
  assertEquals(await system.text("ls", "/tmp/given/ostree/repo/config"), "/tmp/given/ostree/repo/config\n");
  assertMatch(await system.text("skopeo", "--version"), /^skopeo version/);
  assertEquals((await system.run(["sh", "-c", "exit 3"])).code, 3);
});

test("Booted.reboot() finalizes what ostree staged; /run lasts until then", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1, v2 } = await bootedSystem(tmp.path);
  await using system = booted;
  await system.write("/etc/mine", "kept\n");
  await system.write("/var/mine", "kept\n");
  await system.write("/run/mine", "lost\n");
  await system.text("ostree", "admin", "deploy", "--stage", "v2");
  assertEquals((await system.status()).map((d) => [d.checksum, d.booted, d.marks]), [
    [v2, false, "(staged)"],
    [v1, true, ""],
  ]);
  assertEquals(await system.read("/run/mine"), "lost\n");
  await system.reboot();
  assertEquals((await system.status()).map((d) => [d.checksum, d.booted]), [[v2, true], [v1, false]]);
  assertEquals(await system.text("cat", "/usr/version"), "2\n");
  assertEquals(await system.read("/etc/mine"), "kept\n");
  assertEquals(await system.read("/var/mine"), "kept\n");
  assertEquals(await system.read("/run/mine"), undefined);
});

test("Sysroot.stageTree() stages what the next reboot applies, and takes /etc as it is then", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1, v2 } = await bootedSystem(tmp.path);
  await using system = booted;
  assertEquals(list(await ours(system, "status")), [[v1, "booted", "", false]]);
  const staged = await ours(system, "stage", "v2");
  assertEquals(list(staged), [[v2, "", "staged", false], [v1, "booted", "", false]]);
  assertEquals(staged[0]?.kernelArguments, ["root=LABEL=root", "rw", "ref=v2"]);
  assertEquals(staged[0]?.image, "ostree-unverified-registry:localhost/v2");
  assertEquals((await system.status())[0]?.marks, "(staged)");
  await system.write("/etc/late", "kept\n");
  await system.reboot();
  const after = await ours(system, "status");
  assertEquals(list(after), [[v2, "booted", "", false], [v1, "", "", false]]);
  assertEquals(after[0]?.kernelArguments, ["root=LABEL=root", "rw", "ref=v2"]);
  assertEquals(await system.read("/etc/late"), "kept\n");
});

test("Sysroot.stageTree() with `locked` waits for setFinalizationLocked()", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1, v2 } = await bootedSystem(tmp.path);
  await using system = booted;
  assertEquals(list(await ours(system, "download", "v2")), [[v2, "", "staged", true], [v1, "booted", "", false]]);
  await system.reboot();
  assertEquals(list(await ours(system, "status")), [[v1, "booted", "", false]]);
  await ours(system, "download", "v2");
  assertEquals((await ours(system, "unlock"))[0]?.finalizationLocked, false);
  assertEquals((await ours(system, "lock"))[0]?.finalizationLocked, true);
  assertEquals((await ours(system, "unlock"))[0]?.finalizationLocked, false);
  await system.reboot();
  assertEquals(list(await ours(system, "status")), [[v2, "booted", "", false], [v1, "", "", false]]);
});

test("Sysroot.stageTree() unlocked takes back the lock of the deployment it replaces", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1, v2 } = await bootedSystem(tmp.path);
  await using system = booted;
  await ours(system, "download", "v2");
  assertEquals(list(await ours(system, "stage", "v2")), [[v2, "", "staged", false], [v1, "booted", "", false]]);
  assertEquals(await system.read("/run/ostree/staged-deployment-locked"), undefined);
  assertEquals(list(await ours(system, "download", "v2")), [[v2, "", "staged", true], [v1, "booted", "", false]]);
});

test("Sysroot.undeployStaged() discards the staged deployment with its lock", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1 } = await bootedSystem(tmp.path);
  await using system = booted;
  await ours(system, "download", "v2");
  assertEquals(list(await ours(system, "drop")), [[v1, "booted", "", false]]);
  assertEquals(await system.read("/run/ostree/staged-deployment"), undefined);
  assertEquals(await system.read("/run/ostree/staged-deployment-locked"), undefined);
});

test("Sysroot.writeDeployments() on a booted system is a rollback, and back", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1, v2 } = await bootedSystem(tmp.path);
  await using system = booted;
  await ours(system, "stage", "v2");
  await system.reboot();
  assertEquals(list(await ours(system, "rollback")), [[v1, "", "", false], [v2, "booted", "", false]]);
  await system.reboot();
  assertEquals(list(await ours(system, "rollback")), [[v2, "", "", false], [v1, "booted", "", false]]);
});

test("Booted.powerCycle() loses what is staged, and nothing else", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1 } = await bootedSystem(tmp.path);
  await using system = booted;
  await ours(system, "stage", "v2");
  await system.powerCycle();
  assertEquals(list(await ours(system, "status")), [[v1, "booted", "", false]]);
});

test("Sysroot.open() with `mountNamespaceInUse` changes a read-only /sysroot from a namespace of its own", async () => {
  await using tmp = await sysrootDirectory();
  const { booted, v1, v2 } = await bootedSystem(tmp.path, { readOnlySysroot: true });
  await using system = booted;
  const refused = await system.deno("tests/ostree/stage_in_chroot.ts", ["stage", "v2"]);
  assertMatch(refused.stderr, /Read-only file system/);
  const file = "/run/host/project/tests/ostree/stage_in_chroot.ts";
  const argv = ["/run/host/deno", "run", "--quiet", "--no-check", "--allow-all", file, "stage", "v2", "--private"];
  const staged = JSON.parse(await system.text("unshare", "--mount", ...argv));
  assertEquals(list(staged), [[v2, "", "staged", false], [v1, "booted", "", false]]);
  assertEquals((await system.run(["touch", "/sysroot/x"])).code, 1);
});
