/** Anaconda's `ostreecontainer`, command by command: as `DeployOSTreeTask` of its payload "rpm_ostree" calls them. */
import { assertEquals } from "@std/assert";
import { Booted } from "../../booted.ts";
import { mayMount } from "../../may_mount.ts";
import { osImage } from "../../os_image.ts";
import { ostreeText } from "../../ostree_cli.ts";
import { deployWithOstree, listDeployments, makeOsCommit, makeSysroot, type TestSysroot } from "../../sysroot.ts";
import { tempDir } from "../../temp.ts";
import { bootcWith } from "../bootc.ts";
import { type Workshop, workshop } from "../ostree_container/workshop.ts";

const ignore = !await mayMount();

const FILES = {
  "usr/lib/bootc/install/10.toml":
    '[install]\nkargs = ["console=ttyS0", "mitigations=off"]\nkarg-deletes = ["mitigations"]\n',
  "usr/lib/bootc/kargs.d/10.toml": 'kargs = ["console=tty0", "nosmt"]\n',
};

/** A system root with one stateroot, as Anaconda has it before it deploys. */
async function anacondaRoot(shop: Workshop): Promise<TestSysroot> {
  const sysroot = await makeSysroot(`${shop.path}/sysroot`, "first");
  await Deno.remove(`${sysroot.path}/ostree/deploy/first`, { recursive: true });
  await ostreeText("admin", `--sysroot=${sysroot.path}`, "os-init", "osname");
  return { ...sysroot, stateroot: "osname" };
}

async function deploy(shop: Workshop, sysroot: TestSysroot, image: string) {
  // deno-fmt-ignore
  const outcome = await shop.run(
    "image", "deploy", `--sysroot=${sysroot.path}`, `--image=${image}`, "--transport=oci", "--stateroot=osname",
    "--no-signature-verification",
  );
  assertEquals(outcome.code, 0, outcome.stderr);
  await ostreeText("config", `--repo=${sysroot.repo}`, "set", "sysroot.readonly", "true");
}

/** The arguments of the newest boot entry, without where the deployment is. */
async function kernelArguments({ path }: TestSysroot): Promise<string[]> {
  const [entry] = Array.from(Deno.readDirSync(`${path}/boot/loader/entries`), ({ name }) => name).sort().reverse();
  const text = await Deno.readTextFile(`${path}/boot/loader/entries/${entry}`);
  return /^options (.*)$/m.exec(text)![1]!.split(" ").filter((each) => !each.startsWith("ostree="));
}

async function origin({ path }: TestSysroot): Promise<string> {
  const directory = `${path}/ostree/deploy/osname/deploy`;
  const [name] = Array.from(Deno.readDirSync(directory), (each) => each.name).filter((each) =>
    each.endsWith(".origin")
  );
  return await Deno.readTextFile(`${directory}/${name}`);
}

Deno.test({
  name: "image deploy and switch --mutate-in-place install as Anaconda calls them (A1, A2)",
  ignore,
  async fn() {
    await using shop = await workshop();
    const sysroot = await anacondaRoot(shop);
    const image = `${shop.path}/image`;
    osImage(image, { files: FILES });
    await deploy(shop, sysroot, image);
    assertEquals(await kernelArguments(sysroot), ["console=ttyS0", "console=tty0", "nosmt"]);
    assertEquals(await origin(sysroot), `[origin]\ncontainer-image-reference=ostree-unverified-image:oci:${image}\n`);
    // Anaconda adds the root of its own making with `ostree admin instutil set-kargs --merge`.
    const root = "root=UUID=1";
    await ostreeText("admin", "instutil", "set-kargs", `--sysroot=${sysroot.path}`, "--merge", root, "rw");
    assertEquals(await kernelArguments(sysroot), ["console=ttyS0", "console=tty0", "nosmt", root, "rw"]);

    await using system = await Booted.boot(sysroot);
    const reference = "quay.io/example/os:stable";
    const { code, stderr } = await system.bootc(["switch", "--mutate-in-place", "--transport", "registry", reference]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(
      await origin(sysroot),
      `[origin]\ncontainer-image-reference=ostree-unverified-registry:${reference}\n`,
    );
    assertEquals((await listDeployments(sysroot)).length, 1);
  },
});

Deno.test({
  name: "image deploy of a second image exchanges the kernel arguments of the first (K3)",
  ignore,
  async fn() {
    await using shop = await workshop();
    const sysroot = await anacondaRoot(shop);
    osImage(`${shop.path}/one`, { kargs: ["a=1", "b=1"] });
    osImage(`${shop.path}/two`, { kargs: ["b=1", "c=1"] });
    await deploy(shop, sysroot, `${shop.path}/one`);
    await ostreeText("admin", "instutil", "set-kargs", `--sysroot=${sysroot.path}`, "--merge", "mine=1");
    await deploy(shop, sysroot, `${shop.path}/two`);
    assertEquals(await kernelArguments(sysroot), ["b=1", "mine=1", "c=1"]);
  },
});

Deno.test({
  name: "install ensure-completion adds what the image asks for, once (I11)",
  ignore,
  async fn() {
    await using shop = await workshop();
    const sysroot = await makeSysroot(`${shop.path}/sysroot`);
    await makeOsCommit(sysroot.repo, { files: FILES });
    await deployWithOstree(sysroot, { kernelArguments: ["root=UUID=1", "nosmt"] });
    await using system = await Booted.boot(sysroot);
    const run = () => system.bootc(["install", "ensure-completion"], { ANA_INSTALL_PATH: "/mnt/sysroot" });
    const first = await run();
    assertEquals([first.code, first.stderr], [0, ""]);
    assertEquals(first.stdout, "Added kernel arguments: console=ttyS0 console=tty0\n");
    const expected = ["root=UUID=1", "nosmt", "console=ttyS0", "console=tty0"];
    assertEquals(await kernelArguments(sysroot), expected);
    assertEquals(await system.read("/run/bootc-install-reconciled"), "");
    assertEquals((await run()).stdout, "Reconciliation already completed.\n");
    assertEquals(await kernelArguments(sysroot), expected);
  },
});

Deno.test({
  name: "install ensure-completion refuses whom Anaconda did not call (I11)",
  ignore: Deno.uid() !== 0,
  async fn() {
    const { code, stderr } = await bootcWith({ euid: 0, ctx: {} }, "install", "ensure-completion");
    assertEquals([code, stderr], [
      1,
      "error: Missing environment variable ANA_INSTALL_PATH\nhint: Run it in a %post script of Anaconda\n",
    ]);
  },
});

Deno.test("internals bootc-install-completion completes a stateroot, and leaves word (I11)", async () => {
  await using shop = await workshop();
  await using run = await tempDir();
  const sysroot = await makeSysroot(`${shop.path}/sysroot`);
  await makeOsCommit(sysroot.repo, { files: FILES });
  await deployWithOstree(sysroot);
  await Deno.mkdir(`${run.path}/run`);
  const words = ["internals", "bootc-install-completion", "--root", run.path, sysroot.path];
  const none = await bootcWith({ euid: 0, env: shop.env, ctx: {} }, ...words, "nosuch");
  assertEquals(none.code, 1);
  assertEquals(
    none.stderr,
    'error: Failed to find a deployment of "nosuch"\nhint: Deploy an image first: ostree container image deploy\n',
  );
  assertEquals([...Deno.readDirSync(`${run.path}/run`)], []);
  const done = await bootcWith({ euid: 0, env: shop.env, ctx: {} }, ...words, "default");
  assertEquals(done, { code: 0, stdout: "Added kernel arguments: console=ttyS0 console=tty0 nosmt\n", stderr: "" });
  assertEquals(await Deno.readTextFile(`${run.path}/run/bootc-install-reconciled`), "");
  assertEquals(await kernelArguments(sysroot), ["root=LABEL=root", "rw", "console=ttyS0", "console=tty0", "nosmt"]);
  const again = await bootcWith({ euid: 0, env: shop.env, ctx: {} }, ...words, "default");
  assertEquals(again.stdout, "No kernel argument was missing.\n");
});
