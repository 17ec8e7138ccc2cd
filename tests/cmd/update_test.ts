import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Variant } from "../../lib/codec/gvariant.ts";
import { encodeMetadata } from "../../lib/ostree/commit.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { formatSize } from "../../lib/oci/size.ts";
import { emptyFilesCpio } from "../codec/cpio_archive.ts";
import { osImage } from "../os_image.ts";
import {
  deployWithOstree,
  listDeployments,
  makeOsCommit,
  makeSysroot,
  sysrootDirectory,
  type TestSysroot,
} from "../sysroot.ts";
import { tempDir } from "../temp.ts";
import { startRegistry } from "../registry.ts";
import { bootc, bootcWith } from "./bootc.ts";

/** A system root that follows `oci:DIR/os`, with the image's first version deployed by `switch`. */
async function following(
  root: string,
  images: string,
  first: Parameters<typeof osImage>[1] = {},
): Promise<TestSysroot> {
  const sysroot = await makeSysroot(root);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot, { kernelArguments: ["root=LABEL=root", "quiet"] });
  osImage(`${images}/os`, { version: "1", files: { "usr/share/version": "1\n" }, ...first });
  const { code, stderr } = await bootc("switch", "--sysroot", root, "--transport", "oci", `${images}/os`);
  assertEquals({ code, stderr }, { code: 0, stderr: stderr });
  return sysroot;
}

async function status(root: string) {
  return JSON.parse((await bootc("status", "--sysroot", root, "--json")).stdout);
}

async function bootEntries(root: string): Promise<string[]> {
  const out: string[] = [];
  for (
    const { name } of [...Deno.readDirSync(`${root}/boot/loader/entries`)].sort((a, b) => a.name < b.name ? 1 : -1)
  ) {
    out.push(/^options (.*)$/m.exec(await Deno.readTextFile(`${root}/boot/loader/entries/${name}`))![1]!);
  }
  return out;
}

Deno.test("bootc switch deploys an image on a sysroot of a plain ostree system (U12)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  const written = osImage(`${images.path}/os`, { version: "1", files: { "opt/x": "1\n" } });
  const { code, stdout } = await bootc("switch", "--sysroot", root.path, "--transport", "oci", `${images.path}/os`);
  assertEquals(code, 0);
  const size = formatSize(written.layers.reduce((sum, layer) => sum + layer.size, 0));
  assertStringIncludes(stdout, `layers already present: 0; layers needed: 2 (${size})\n`);
  assertStringIncludes(
    stdout,
    `Queued for next boot: oci:${images.path}/os\n  Version: 1\n  Digest: ${written.digest}\n`,
  );
  assertEquals((await listDeployments(sysroot)).length, 2);
  const host = await status(root.path);
  assertEquals(host.spec, { bootOrder: "default", image: { image: `${images.path}/os`, transport: "oci" } });
  assertEquals(host.status.otherDeployments[0].image.imageDigest, written.digest);
  assertEquals(host.status.booted, null);
});

Deno.test("bootc switch to the present image changes nothing (U13)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  await following(root.path, images.path);
  const { code, stdout } = await bootc("switch", "--sysroot", root.path, "--transport", "oci", `${images.path}/os`);
  assertEquals({ code, stdout }, { code: 0, stdout: "Image specification is unchanged.\n" });
});

Deno.test("bootc upgrade says that there is nothing new (U2)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  await following(root.path, images.path);
  const before = Deno.statSync(`${root.path}/ostree/bootc`).mtime;
  const digest = (await status(root.path)).status.otherDeployments[0].image.imageDigest;
  const { code, stdout } = await bootc("upgrade", "--sysroot", root.path);
  assertEquals({ code, stdout }, {
    code: 0,
    stdout: `No changes in oci:${images.path}/os => ${digest}\nNo update available.\n`,
  });
  const check = await bootc("upgrade", "--check", "--sysroot", root.path);
  assertEquals(check.stdout, `No changes in: oci:${images.path}/os\n`);
  assertEquals(Deno.statSync(`${root.path}/ostree/bootc`).mtime, before);
});

Deno.test("bootc upgrade --check keeps what it found (U3), upgrade deploys it (U1), rollback leads back (U16)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  const sysroot = await following(root.path, images.path);
  const first = (await status(root.path)).status.otherDeployments[0].image.imageDigest;
  const second = osImage(`${images.path}/os`, { version: "2", files: { "usr/share/version": "2\n" } });

  const check = await bootc("upgrade", "--check", "--sysroot", root.path);
  assertStringIncludes(
    check.stdout,
    `Update available for: oci:${images.path}/os\n  Version: 2\n  Digest: ${second.digest}\nTotal new layers: 2 `,
  );
  const checked = (await status(root.path)).status.otherDeployments[0];
  assertEquals([checked.image.imageDigest, checked.cachedUpdate.imageDigest], [first, second.digest]);

  const upgrade = await bootc("upgrade", "--sysroot", root.path);
  assertEquals(upgrade.code, 0, upgrade.stderr);
  assertMatch(upgrade.stdout, /^layers already present: 1; layers needed: 1 \(\d+ bytes\)\nQueued for next boot: oci:/);
  assertStringIncludes(upgrade.stdout, "Removed layers:   1 ");
  const upgraded = (await status(root.path)).status.otherDeployments;
  assertEquals(upgraded.map((entry: { image: { imageDigest: string } | null }) => entry.image?.imageDigest), [
    second.digest,
    first,
  ]);

  const rollback = await bootc("rollback", "--sysroot", root.path);
  assertEquals({ code: rollback.code, stdout: rollback.stdout }, {
    code: 0,
    stdout: "Next boot: rollback deployment\n",
  });
  const back = (await status(root.path)).status.otherDeployments;
  assertEquals(back.map((entry: { image: { imageDigest: string } | null }) => entry.image?.imageDigest), [
    first,
    second.digest,
  ]);
  assertEquals((await listDeployments(sysroot)).length, 2);
});

Deno.test("bootc upgrade carries the difference of kargs.d to the host's own kernel arguments (K3)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  await following(root.path, images.path, { kargs: ["console=ttyS0", "nosmt"] });
  const withoutOstree = (options: string[]) => options.map((line) => line.replace(/ ?ostree=\S+/, ""));
  assertEquals(withoutOstree(await bootEntries(root.path))[0], "root=LABEL=root quiet console=ttyS0 nosmt");
  osImage(`${images.path}/os`, { kargs: ["console=tty0", "nosmt"] });
  assertEquals((await bootc("upgrade", "--sysroot", root.path)).code, 0);
  assertEquals(withoutOstree(await bootEntries(root.path))[0], "root=LABEL=root quiet nosmt console=tty0");
});

Deno.test("bootc upgrade --tag follows another tag (U7)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  osImage(`${images.path}/os`, { version: "1", tag: "one" });
  const two = osImage(`${images.path}/os`, { version: "2", tag: "two" });
  assertEquals((await bootc("switch", "--sysroot", root.path, "--transport", "oci", `${images.path}/os:one`)).code, 0);
  const { code, stderr } = await bootc("upgrade", "--tag", "two", "--sysroot", root.path);
  assertEquals({ code, stderr }, { code: 0, stderr });
  const host = await status(root.path);
  assertEquals(host.spec.image.image, `${images.path}/os:two`);
  assertEquals(host.status.otherDeployments[0].image.imageDigest, two.digest);
});

const REFUSED = [
  {
    name: "without a bootable label",
    image: { labels: {} },
    message: "Target image does not have ostree.bootable label",
  },
  {
    name: "of another architecture",
    image: { architecture: "s390x" },
    message: "Image has architecture s390x; expected amd64",
  },
  { name: "without kernel", image: { kernel: null }, message: "Image has no kernel" },
  { name: "without initramfs", image: { initramfs: false }, message: "Image has no initramfs" },
  {
    name: "whose initramfs cannot find an ostree root",
    image: { files: { "usr/lib/modules/6.1.0-test/initramfs.img": emptyFilesCpio(["init"]) } },
    message: "Image has an initramfs that cannot find an ostree root",
  },
  {
    name: "with two kernels (K2)",
    image: { kernels: ["6.2.0-test"] },
    message: "Found multiple subdirectories in usr/lib/modules",
  },
];
for (const { name, image, message } of REFUSED) {
  Deno.test(`bootc upgrade refuses an image ${name} (U21)`, async () => {
    await using root = await sysrootDirectory();
    await using images = await tempDir();
    const sysroot = await following(root.path, images.path);
    const before = await listDeployments(sysroot);
    osImage(`${images.path}/os`, { version: "2", ...image });
    const { code, stderr } = await bootc("upgrade", "--sysroot", root.path);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `error: Cannot boot "ostree-unverified-image:oci:${images.path}/os": ${message}`);
    assertEquals(await listDeployments(sysroot), before);
  });
}

Deno.test("bootc upgrade refuses a host with rpm-ostree's changes, and status shows it (U11, R2)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  await following(root.path, images.path);
  const directory = `${root.path}/ostree/deploy/default/deploy`;
  const [{ checksum, serial }] = (await status(root.path)).status.otherDeployments.map(
    ({ ostree }: { ostree: { checksum: string; deploySerial: number } }) => ({
      checksum: ostree.checksum,
      serial: ostree.deploySerial,
    }),
  );
  const origin = `${directory}/${checksum}.${serial}.origin`;
  await Deno.writeTextFile(origin, `${await Deno.readTextFile(origin)}\n[packages]\nrequested=vim;\n`);
  const { code, stderr } = await bootc("upgrade", "--sysroot", root.path);
  assertEquals({ code, stderr }, {
    code: 1,
    stderr: "error: Deployment contains local rpm-ostree modifications; cannot upgrade via bootc\n" +
      "hint: You can run `rpm-ostree reset` to undo the modifications\n",
  });
  assertEquals((await status(root.path)).status.otherDeployments[0].incompatible, true);
});

Deno.test("bootc upgrade keeps an origin's foreign keys (R2)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  await following(root.path, images.path);
  const entry = (await status(root.path)).status.otherDeployments[0].ostree;
  const directory = `${root.path}/ostree/deploy/default/deploy`;
  const origin = `${directory}/${entry.checksum}.${entry.deploySerial}.origin`;
  await Deno.writeTextFile(
    origin,
    `${await Deno.readTextFile(origin)}custom-url=https://example.com\n\n[foreign]\nkey=value\n`,
  );
  osImage(`${images.path}/os`, { version: "2" });
  assertEquals((await bootc("upgrade", "--sysroot", root.path)).code, 0);
  const now = (await status(root.path)).status.otherDeployments[0].ostree;
  assertEquals(
    await Deno.readTextFile(`${directory}/${now.checksum}.${now.deploySerial}.origin`),
    `[origin]\ncontainer-image-reference=ostree-unverified-image:oci:${images.path}/os\ncustom-url=https://example.com\n\n[foreign]\nkey=value\n`,
  );
});

Deno.test("bootc upgrade keeps the demand for a signature policy (P5)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  const policy = { default: [{ type: "reject" }], transports: { oci: { "": [{ type: "insecureAcceptAnything" }] } } };
  await Deno.writeTextFile(`${images.path}/policy.json`, JSON.stringify(policy));
  const env = { CONTAINERS_POLICY_JSON: `${images.path}/policy.json` };
  osImage(`${images.path}/os`, { version: "1" });
  const words = ["--sysroot", root.path, "--transport", "oci", "--enforce-container-sigpolicy", `${images.path}/os`];
  const switched = await bootcWith({ env }, "switch", ...words);
  assertEquals(switched.code, 0, switched.stderr);
  osImage(`${images.path}/os`, { version: "2" });
  const upgraded = await bootcWith({ env }, "upgrade", "--sysroot", root.path);
  assertEquals(upgraded.code, 0, upgraded.stderr);
  const host = await status(root.path);
  assertEquals(host.spec.image, { image: `${images.path}/os`, signature: "containerPolicy", transport: "oci" });
  assertEquals(host.status.otherDeployments[0].image.version, "2");

  await Deno.writeTextFile(`${images.path}/policy.json`, '{"default":[{"type":"reject"}]}');
  osImage(`${images.path}/os`, { version: "3" });
  const refused = await bootcWith({ env }, "upgrade", "--sysroot", root.path);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "rejected by policy");
  assertEquals((await status(root.path)).status.otherDeployments[0].image.version, "2");
});

Deno.test("bootc switch and upgrade pull from a registry, and only what is new (U1, U26)", async () => {
  await using registry = await startRegistry();
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  const name = `${registry.address}/test/os`;
  osImage(`${images.path}/os`, { version: "1" });
  await registry.push(`${images.path}/os`, "test/os");
  const { code, stderr } = await bootcWith({ env: registry.env }, "switch", "--sysroot", root.path, name);
  assertEquals(code, 0, stderr);
  const second = osImage(`${images.path}/os`, { version: "2", files: { "usr/share/x": "2\n" } });
  await registry.push(`${images.path}/os`, "test/os");
  const before = (await registry.requests()).length;
  const upgraded = await bootcWith({ env: registry.env }, "upgrade", "--sysroot", root.path);
  assertEquals(upgraded.code, 0, upgraded.stderr);
  assertStringIncludes(upgraded.stdout, `Queued for next boot: ${name}\n  Version: 2\n  Digest: ${second.digest}\n`);
  const requests = (await registry.requests()).slice(before).join("\n");
  assertStringIncludes(requests, second.layers[1]!.digest);
  assertEquals(requests.includes(second.layers[0]!.digest), false);
  assertEquals((await status(root.path)).spec.image, { image: name, transport: "registry" });
});

Deno.test("bootc upgrade --check finds no update in what boots next, also after a rollback", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  await following(root.path, images.path);
  osImage(`${images.path}/os`, { version: "2" });
  assertEquals((await bootc("upgrade", "--sysroot", root.path)).code, 0);
  osImage(`${images.path}/os`, { version: "1", files: { "usr/share/version": "1\n" } });
  assertEquals((await bootc("rollback", "--sysroot", root.path)).code, 0);
  const { stdout } = await bootc("upgrade", "--check", "--sysroot", root.path);
  assertEquals(stdout, `No changes in: oci:${images.path}/os\n`);
});

Deno.test("bootc upgrade --download-only is refused on a system root that does not run", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  await following(root.path, images.path);
  osImage(`${images.path}/os`, { version: "2" });
  const { code, stderr } = await bootc("upgrade", "--download-only", "--sysroot", root.path);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "error: Cannot stage an update on a system root that does not run\n");
  assertEquals((await status(root.path)).status.otherDeployments[0].image.version, "1");
});

Deno.test("bootc status shows an image beside a cached update that is damaged", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  const sysroot = await following(root.path, images.path);
  const { checksum } = (await status(root.path)).status.otherDeployments[0].ostree;
  const keys = ["manifest-digest", "manifest"].map((key) =>
    [`ostree-ext.cached.${key}`, new Variant("s", "damaged")] as const
  );
  using repo = Repo.open(sysroot.repo);
  repo.writeDetachedMetadata(checksum, encodeMetadata(new Map(keys)));
  const [entry] = (await status(root.path)).status.otherDeployments;
  assertEquals([entry.image.version, entry.cachedUpdate], ["1", null]);
});
