import { formatOstreeImageReference, parseAnyImageReference } from "../../../lib/oci/reference.ts";
import { assertEquals, assertMatch } from "@std/assert";
import { file, image, link } from "../../image.ts";
import { ostreeText } from "../../ostree_cli.ts";
import { Booted } from "../../booted.ts";
import { mayMount } from "../../may_mount.ts";
import { deployWithOstree, listDeployments, makeOsCommit, makeSysroot, type TestSysroot } from "../../sysroot.ts";
import { bootcWith } from "../bootc.ts";
import { commitIn, refsOf, type Workshop, workshop } from "./workshop.ts";

/** A file system as an installer makes it: a repository, and no stateroot. */
async function emptySysroot(shop: Workshop, name = "sysroot"): Promise<TestSysroot> {
  const path = `${shop.path}/${name}`;
  const sysroot = await makeSysroot(path, "first");
  await Deno.remove(`${path}/ostree/deploy/first`, { recursive: true });
  return { ...sysroot, stateroot: "default" };
}

/** What must not change when an image is refused. */
async function stateOf(sysroot: TestSysroot): Promise<unknown> {
  const stateroots = [...Deno.readDirSync(`${sysroot.path}/ostree/deploy`)].map(({ name }) => name);
  return { stateroots, refs: refsOf(sysroot.repo), deployments: await listDeployments(sysroot) };
}

function originOf(sysroot: TestSysroot, commit: string, stateroot = "default"): Promise<string> {
  return Deno.readTextFile(`${sysroot.path}/ostree/deploy/${stateroot}/deploy/${commit}.0.origin`);
}

async function kernelArguments(sysroot: TestSysroot, entry = 1): Promise<string> {
  const text = await Deno.readTextFile(`${sysroot.path}/boot/loader/entries/ostree-${entry}-default.conf`)
    .catch(() => Deno.readTextFile(`${sysroot.path}/boot/loader/entries/ostree-${entry}.conf`));
  return /^options (.*)$/m.exec(text)![1]!.replace(/ ?ostree=\S+/, "");
}

Deno.test("image deploy makes the first deployment of a system root", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const { reference } = await shop.image("image", { derived: [image({ "usr/share/new": file("new\n") })] });
  // deno-fmt-ignore
  const { code, stdout, stderr } = await shop.run(
    "image", "deploy", "--quiet", "--sysroot", sysroot.path, "--imgref", `ostree-unverified-image:${reference}`,
    "--karg=root=LABEL=root", "--karg", "rw", "--write-commitid-to", `${shop.path}/commit`,
  );
  assertEquals([code, stderr], [0, ""]);
  const commit = commitIn(stdout);
  assertMatch(stdout, /^layers already present: 0; layers needed: 2 \([^)]+\)\nDeployed: ostree-unverified-image:oci:/);
  assertEquals(await Deno.readTextFile(`${shop.path}/commit`), commit);
  assertEquals(await listDeployments(sysroot), [
    { stateroot: "default", checksum: commit, serial: 0, marks: "", booted: false },
  ]);
  assertEquals(
    await originOf(sysroot, commit),
    `[origin]\ncontainer-image-reference=ostree-unverified-image:${reference}\n`,
  );
  assertEquals(await kernelArguments(sysroot), "root=LABEL=root rw");
  const deployed = `${sysroot.path}/ostree/deploy/default/deploy/${commit}.0`;
  assertEquals(await Deno.readTextFile(`${deployed}/usr/share/new`), "new\n");
  assertEquals(await Deno.readTextFile(`${deployed}/etc/hostname-of-image`), "image\n");
  await ostreeText("fsck", `--repo=${sysroot.repo}`);
});

Deno.test("image deploy again takes over the kernel arguments and keeps the deployment before", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const { reference } = await shop.image("image");
  const deploy = (...words: string[]) =>
    shop.run("image", "deploy", "--sysroot", sysroot.path, "--imgref", reference, ...words);
  const first = commitIn((await deploy("--karg=quiet", "--karg=a=b c")).stdout);
  await shop.commit({ kernelVersion: "6.2.0-test" });
  await shop.image("image");
  const second = commitIn((await deploy()).stdout);
  assertEquals((await listDeployments(sysroot)).map(({ checksum }) => checksum), [second, first]);
  assertEquals(await kernelArguments(sysroot, 2), "quiet a=b c");
  const same = await deploy("--karg=other");
  assertEquals(same.stdout, `Deployed: ostree-unverified-image:${reference} => ${second}\n`);
  assertEquals(await kernelArguments(sysroot, 2), "other");
});

Deno.test("image deploy --target-imgref lets the host follow another image, under which it is stored", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const { reference } = await shop.image("image");
  const target = "ostree-unverified-registry:quay.io/example/os:latest";
  const { stdout } = await shop.run(
    ...["image", "deploy", "--sysroot", sysroot.path, "--imgref", reference, "--target-imgref", target],
  );
  const origin = `[origin]\ncontainer-image-reference=${target}\n`;
  assertEquals(await originOf(sysroot, commitIn(stdout)), origin);
  const list = () => shop.run("image", "list", "--repo", sysroot.repo);
  assertEquals((await list()).stdout, "docker://quay.io/example/os:latest\n");
  const pruned = await shop.run("image", "prune-images", "--sysroot", sysroot.path);
  assertEquals(pruned.stdout, "No unreferenced images.\n");
});

Deno.test("image deploy --no-imgref keeps the layers alone, and an origin that names no image", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const { reference } = await shop.image("image", { chunks: 2 });
  const { stdout } = await shop.run(
    ...["image", "deploy", "--sysroot", sysroot.path, "--imgref", reference, "--no-imgref"],
  );
  assertEquals((await originOf(sysroot, commitIn(stdout))).includes("container-image-reference"), false);
  assertEquals((await shop.run("image", "list", "--repo", sysroot.repo)).stdout, "");
  assertMatch(
    (await shop.run("image", "pull", sysroot.repo, reference)).stdout,
    /^layers already present: 3; layers needed: 0\n/,
  );
});

Deno.test("image deploy --image takes a name and a transport, and a stateroot by its name", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const { reference } = await shop.image("image");
  // deno-fmt-ignore
  const { code, stdout } = await shop.run(
    "image", "deploy", "--sysroot", sysroot.path, "--image", reference.slice("oci:".length), "--transport", "oci",
    "--stateroot", "fedora", "--no-signature-verification",
  );
  assertEquals(code, 0);
  const [deployed] = await listDeployments(sysroot);
  assertEquals([deployed?.stateroot, deployed?.checksum], ["fedora", commitIn(stdout)]);
});

Deno.test("image deploy --enforce-container-sigpolicy asks the policy, and the origin says so (P5)", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const { reference } = await shop.image("image");
  const words = ["image", "deploy", "--sysroot", sysroot.path, "--imgref", reference, "--enforce-container-sigpolicy"];
  const refused = await shop.run(...words);
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /specifies a default of `insecureAcceptAnything`; refusing usage/);
  const policy = { default: [{ type: "reject" }], transports: { oci: { "": [{ type: "insecureAcceptAnything" }] } } };
  await Deno.writeTextFile(`${shop.path}/policy.json`, JSON.stringify(policy));
  const env = { ...shop.env, CONTAINERS_POLICY_JSON: `${shop.path}/policy.json` };
  const { code, stdout } = await bootcWith({ argv0: "ostree-container", env }, ...words);
  assertEquals(code, 0);
  assertEquals(
    await originOf(sysroot, commitIn(stdout)),
    `[origin]\ncontainer-image-reference=ostree-image-signed:${reference}\n`,
  );
  const { stdout: document } = await bootcWith({ env }, "status", "--json", "--sysroot", sysroot.path);
  assertEquals(JSON.parse(document).spec.image.signature, "containerPolicy");
});

Deno.test("image deploy refuses an ostree remote, whose signatures it cannot verify", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const { code, stderr } = await shop.run(
    ...["image", "deploy", "--sysroot", sysroot.path, "--image", "q/x", "--ostree-remote", "fedora"],
  );
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot pull "ostree-remote-image:fedora:docker:\/\/q\/x": /);
});

const KERNEL = "usr/lib/modules/6.1.0-test";
const EMPTY_LAYER = image({ "usr/x": file() });
const REFUSED: [what: string, source: Parameters<Workshop["image"]>[1], error: string][] = [
  ["has no bootable label", { bootable: false }, "Target image does not have ostree.bootable label"],
  [
    "is for another machine",
    { architecture: "s390x" },
    `Image has architecture s390x; expected ${Deno.build.arch === "aarch64" ? "arm64" : "amd64"}`,
  ],
  [
    "has two kernels",
    { derived: [image({ "usr/lib/modules/7.0/vmlinuz": file("k") })] },
    "Found multiple subdirectories in usr/lib/modules",
  ],
  [
    "has no kernel",
    { derived: [image({ [`${KERNEL}/.wh.vmlinuz`]: file() })] },
    'Image has no kernel: no "vmlinuz" in a directory of "usr/lib/modules"',
  ],
  [
    "has no initramfs",
    { derived: [image({ [`${KERNEL}/.wh.initramfs.img`]: file() })] },
    `Image has no initramfs: no "initramfs.img" in "${KERNEL}"`,
  ],
];

for (const [what, source, error] of REFUSED) {
  Deno.test(`image deploy refuses an image that ${what}, and leaves the system root as it was (U21)`, async () => {
    await using shop = await workshop();
    const sysroot = await emptySysroot(shop);
    const before = await stateOf(sysroot);
    const { reference } = await shop.image("image", source);
    const deploy = () => shop.run("image", "deploy", "--quiet", "--sysroot", sysroot.path, "--imgref", reference);
    const { code, stderr } = await deploy();
    const named = parseAnyImageReference(reference);
    assertEquals([code, stderr.split("\n")[0]], [
      1,
      `error: Cannot boot "${formatOstreeImageReference(named)}": ${error}`,
    ]);
    assertEquals(await stateOf(sysroot), before);
  });
}

Deno.test("image deploy of a refused image keeps the deployment, and the image that is stored under its name", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const { reference } = await shop.image("image", { derived: [EMPTY_LAYER] });
  const deploy = () => shop.run("image", "deploy", "--quiet", "--sysroot", sysroot.path, "--imgref", reference);
  assertEquals((await deploy()).code, 0);
  const before = await stateOf(sysroot);
  await shop.image("image", { derived: [image({ "usr/lib/modules": link("nowhere") })] });
  assertEquals((await deploy()).code, 1);
  assertEquals(await stateOf(sysroot), before);
});

const WRONG: [words: string[], error: string][] = [
  [[], "Either --imgref or --image is required"],
  [["--imgref", "foo:bar"], 'Unknown transport "foo" in image reference "foo:bar"'],
  [["--image", "x", "--transport", "foo"], 'Unknown transport "foo" in image reference "foo:x"'],
  [["--imgref", "oci:x", "--image", "x"], 'Option "--imgref" cannot be used with "--image"'],
  [
    ["--image", "x", "--no-signature-verification", "--enforce-container-sigpolicy"],
    'Option "--no-signature-verification" cannot be used with "--enforce-container-sigpolicy"',
  ],
  [["--imgref", "oci:x", "--target-imgref", "ostree-x:y"], "Invalid ostree image reference scheme: ostree-x"],
];

for (const [words, error] of WRONG) {
  Deno.test(`image deploy ${words.join(" ")} is a wrong command line`, async () => {
    const { code, stderr } = await bootcWith(
      { argv0: "ostree-container" },
      ...["image", "deploy", "--sysroot", "/nowhere", ...words],
    );
    assertEquals([code, stderr.split("\n")[0]], [2, `error: ${error}`]);
  });
}

Deno.test("image deploy refuses a stateroot that is no name, and a system root that is none", async () => {
  await using shop = await workshop();
  const sysroot = await emptySysroot(shop);
  const deploy = (root: string, stateroot: string) =>
    shop.run("image", "deploy", "--sysroot", root, "--stateroot", stateroot, "--imgref", "oci:/nowhere");
  const bad = await deploy(sysroot.path, "../x");
  assertEquals([bad.code, bad.stderr], [1, 'error: "../x" is no name for a stateroot\n']);
  const none = await deploy(`${shop.path}/home`, "default");
  assertEquals(none.code, 1);
  assertMatch(none.stderr, /^error: Cannot read the system root "[^"]+\/home": /);
});

Deno.test("image deploy without --sysroot wants a running ostree host", async () => {
  const { code, stderr } = await bootcWith(
    { argv0: "ostree-container", euid: 65534 },
    ...["image", "deploy", "--imgref", "oci:x"],
  );
  assertEquals([code, stderr.split("\n")[0]], [1, "error: This command must be executed as the root user"]);
});

Deno.test("image deploy stages on a running host", { ignore: !await mayMount() }, async () => {
  await using shop = await workshop();
  const sysroot = await makeSysroot(`${shop.path}/sysroot`);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot, { kernelArguments: ["quiet"] });
  await shop.image("image");
  await using system = await Booted.boot(sysroot, { mounts: { "/run/host/images": shop.path }, readOnlySysroot: true });
  const words = ["internals", "ostree-container", "image", "deploy", "--imgref", "oci:/run/host/images/image"];
  const { code, stdout, stderr } = await system.bootc(words);
  assertEquals(code, 0, stderr);
  assertEquals(
    (await system.status()).map(({ checksum, stateroot, marks }) => [checksum === commitIn(stdout), stateroot, marks]),
    [[true, "default", "(staged)"], [false, "default", ""]],
  );
  await system.reboot();
  const [deployed] = await listDeployments(sysroot);
  assertEquals([deployed?.checksum, await kernelArguments(sysroot, 2)], [commitIn(stdout), "quiet"]);
});
