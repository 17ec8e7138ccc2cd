import { assertEquals, assertMatch } from "@std/assert";
import { bootLine, nextStateroot, rootKargs } from "../../../lib/install/reset.ts";
import { Booted } from "../../booted.ts";
import { mayMount } from "../../may_mount.ts";
import { osImage } from "../../os_image.ts";
import { deployWithOstree, makeOsCommit, makeSysroot, sysrootDirectory } from "../../sysroot.ts";
import { tempDir } from "../../temp.ts";
import { bootc } from "../bootc.ts";

const ignore = !await mayMount();
const IMAGES = "/run/host/images";

const NAMES: readonly [string[], string][] = [
  [["default"], "state-2026-0"],
  [["default", "state-2026-0", "state-2026-1"], "state-2026-2"],
  [["state-2025-9", "state-2025-10", "state-2024-99"], "state-2025-11"],
  [["s2026-5", "state-2026", "state-x-1", "state-2026-1-2"], "state-2026-0"],
];
for (const [names, expected] of NAMES) {
  Deno.test(`nextStateroot() beside ${names.join(", ")} is ${expected} (T5)`, () => {
    assertEquals(nextStateroot(names, 2026), expected);
  });
}

Deno.test("rootKargs() keeps what leads to file systems", () => {
  const all = ["root=UUID=1", "rootflags=x", "boot=UUID=2", "rd.luks.uuid=3", "rw", "quiet", "rootx=1", "ostree=/o"];
  assertEquals(rootKargs(all), ["root=UUID=1", "rootflags=x", "boot=UUID=2", "rd.luks.uuid=3", "rw"]);
});

const FSTABS: readonly [string, string | undefined][] = [
  ["", undefined],
  ["# UUID=1 /boot ext4\nUUID=2 / ext4\nUUID=3 /boot/efi vfat\n", undefined],
  ["UUID=2 / ext4\n UUID=1\t/boot auto ro 0 0", " UUID=1\t/boot auto ro 0 0\n"],
];
for (const [text, expected] of FSTABS) {
  Deno.test(`bootLine() of ${JSON.stringify(text)}`, () => assertEquals(bootLine(text), expected));
}

/** A host that runs version 1 of an image. */
async function host() {
  await using stack = new AsyncDisposableStack();
  const root = stack.use(await sysrootDirectory());
  const images = stack.use(await tempDir());
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot, { kernelArguments: ["root=LABEL=root", "rw", "quiet"] });
  const system = stack.use(await Booted.boot(sysroot, { mounts: { [IMAGES]: images.path }, readOnlySysroot: true }));
  osImage(`${images.path}/os`, { version: "1", kargs: ["from.image=1"] });
  osImage(`${images.path}/other`, { version: "2" });
  const { code, stderr } = await system.bootc(["switch", "--transport", "oci", `${IMAGES}/os`]);
  if (code !== 0) throw new Error(stderr);
  await system.reboot();
  const owned = stack.move();
  return { system, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

Deno.test({
  name: "install reset stages the image that runs in a new stateroot, which a reboot enters",
  ignore,
  async fn() {
    await using it = await host();
    const { system } = it;
    await system.write("/etc/mine", "mine\n");
    await system.write("/var/mine", "mine\n");
    await system.write("/etc/fstab", "UUID=1 / ext4\nUUID=2 /boot auto ro 0 0\n");
    const words = ["install", "reset", "--experimental", "--quiet", "--karg", "extra=1"];
    const { code, stdout, stderr } = await system.bootc(words);
    assertEquals([code, stderr], [0, ""]);
    const name = `state-${new Date().getUTCFullYear()}-0`;
    assertMatch(stdout, new RegExp(`^Queued for next boot: stateroot ${name}\n  Digest: sha256:[0-9a-f]{64}\n$`));
    assertEquals((await system.status()).map(({ stateroot, marks, booted }) => [stateroot, marks, booted]), [
      [name, "(staged)", false],
      ["default", "", true],
      ["default", "(rollback)", false],
    ]);
    await system.reboot();
    const status = JSON.parse((await system.bootc(["status", "--json"])).stdout).status;
    assertEquals(status.booted.ostree.stateroot, name);
    assertEquals(status.booted.image.image.image, `${IMAGES}/os`);
    assertEquals(await system.read("/etc/mine"), undefined);
    assertEquals(await system.read("/var/mine"), undefined);
    assertEquals(await system.read("/etc/fstab"), "UUID=2 /boot auto ro 0 0\n");
    const [entry] = (await system.text("sh", "-c", "ls -r /boot/loader/entries")).split("\n");
    const options = /^options (.*) ostree=/m.exec((await system.read(`/boot/loader/entries/${entry}`))!)![1];
    assertEquals(options, "root=LABEL=root rw from.image=1 extra=1");
    // The old one is kept with what it has.
    assertEquals(await system.read("/sysroot/ostree/deploy/default/var/mine"), "mine\n");
  },
});

Deno.test({
  name: "install reset takes another image, a name, and no argument of the root",
  ignore,
  async fn() {
    await using it = await host();
    // deno-fmt-ignore
    const { code, stderr } = await it.system.bootc([
      "install", "reset", "--experimental", "--quiet", "--stateroot", "fresh", "--no-root-kargs", "--target-transport", "oci",
      "--target-imgref", `${IMAGES}/other`,
    ]);
    assertEquals([code, stderr], [0, ""]);
    await it.system.reboot();
    const { booted } = JSON.parse((await it.system.bootc(["status", "--json"])).stdout).status;
    assertEquals([booted.ostree.stateroot, booted.image.version], ["fresh", "2"]);
    const upgraded = await it.system.bootc(["upgrade"]);
    assertMatch(upgraded.stdout, /^No changes in oci:\/run\/host\/images\/other => sha256:/);
  },
});

Deno.test({
  name: "install reset takes back a soft reboot that was prepared (U24)",
  ignore,
  async fn() {
    await using it = await host();
    const env = await it.system.prepareSoftReboot(0);
    const { code, stderr } = await it.system.bootc(["install", "reset", "--experimental", "--quiet"], env);
    assertEquals([code, stderr], [0, "The soft reboot that was prepared is taken back\n"]);
    assertEquals(await it.system.read("/run/asked"), "--recursive /run/nextroot\n");
    assertEquals(await it.system.read("/run/ostree/nextroot-booted"), undefined);
  },
});

const REFUSALS: readonly [name: string, words: string[], error: string][] = [
  [
    "the stateroot that runs",
    ["--stateroot", "default"],
    "error: Cannot redeploy over booted stateroot default\nhint: Give another name to --stateroot, or none\n",
  ],
  ["a name that is none", ["--stateroot", "a/b"], 'error: "a/b" is no name for a stateroot\n'],
  [
    "a stateroot that is there",
    ["--stateroot", "taken"],
    'error: There is a stateroot "taken" already\nhint: Give another name to --stateroot, or none\n',
  ],
  [
    "an argument that would end the boot entry",
    ["--karg", "a\nb"],
    'error: Kernel argument "a\\nb" holds a control character\n',
  ],
];
Deno.test({
  name: "install reset refuses what cannot be, and changes nothing",
  ignore,
  async fn(t) {
    await using it = await host();
    await Deno.mkdir(`${it.system.sysroot.path}/ostree/deploy/taken`);
    const before = await it.system.text("ls", "-lR", "--time-style=full-iso", "/sysroot/ostree/deploy");
    for (const [name, words, error] of REFUSALS) {
      await t.step(name, async () => {
        const { code, stderr } = await it.system.bootc(["install", "reset", "--experimental", "--quiet", ...words]);
        assertEquals([code, stderr], [1, error]);
        assertEquals(await it.system.text("ls", "-lR", "--time-style=full-iso", "/sysroot/ostree/deploy"), before);
      });
    }
  },
});

Deno.test("install reset wants to be asked for by --experimental", async () => {
  const { code, stderr } = await bootc("install", "reset");
  assertEquals(code, 2);
  assertMatch(stderr, /^error: This command requires --experimental\n/);
});
