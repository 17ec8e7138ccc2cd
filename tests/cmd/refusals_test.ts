/** Who is refused before anything is looked at, and in which order (trap T27). */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { osImage } from "../os_image.ts";
import { deployWithOstree, makeOsCommit, makeSysroot, sysrootDirectory } from "../sysroot.ts";
import { tempDir } from "../temp.ts";
import { bootc, bootcWith } from "./bootc.ts";

const VERBS: readonly (readonly [words: readonly string[], doing: string])[] = [
  [["upgrade"], ""],
  [["upgrade", "--check"], ""],
  [["switch", "quay.io/example/os"], "Switching: "],
  [["rollback"], "Rollback: "],
  [["edit", "-f", "-"], "Editing spec: "],
];
for (const [words, doing] of VERBS) {
  const verb = words.join(" ");
  Deno.test(`bootc ${verb} refuses whoever is not root first (U10)`, async () => {
    const { code, stderr } = await bootcWith({ euid: 65534, env: { container: "podman" } }, ...words);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "error: This command must be executed as the root user\n");
  });
  Deno.test(`bootc ${verb} refuses in a container (U9)`, async () => {
    const { code, stderr } = await bootcWith({ env: { container: "podman" } }, ...words);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "this command requires a booted host system");
  });
  Deno.test(`bootc ${verb} refuses a host that was not booted so (T27)`, async () => {
    const { code, stderr } = await bootc(...words);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `error: ${doing}Initializing storage: System not booted via bootc\n`);
  });
}

Deno.test("bootc switch refuses an unknown transport without control characters (2.1)", async () => {
  const { code, stderr } = await bootc("switch", "--transport", "blah", "x");
  assertEquals(code, 1);
  // deno-lint-ignore no-control-regex
  assertEquals(/\x1b/.test(stderr), false);
  assertStringIncludes(stderr, "blah");
});

Deno.test("bootc switch --enforce-container-sigpolicy refuses a policy that accepts anything (U15, P3)", async () => {
  await using root = await sysrootDirectory();
  await using home = await tempDir();
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  await Deno.writeTextFile(`${home.path}/policy.json`, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const env = { CONTAINERS_POLICY_JSON: `${home.path}/policy.json` };
  const { code, stderr } = await bootcWith(
    { env },
    "switch",
    "--sysroot",
    root.path,
    "--enforce-container-sigpolicy",
    "127.0.0.1:1/os",
  );
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    "containers-policy.json specifies a default of `insecureAcceptAnything`; refusing usage",
  );
});

Deno.test("bootc switch --mutate-in-place changes the newest origin alone (U14)", async () => {
  await using root = await tempDir();
  const directory = `${root.path}/ostree/deploy/default/deploy`;
  await Deno.mkdir(`${directory}/${"a".repeat(64)}.0`, { recursive: true });
  await Deno.mkdir(`${directory}/${"b".repeat(64)}.0`, { recursive: true });
  const old = `${directory}/${"a".repeat(64)}.0.origin`, newest = `${directory}/${"b".repeat(64)}.0.origin`;
  await Deno.writeTextFile(old, "[origin]\ncontainer-image-reference=ostree-unverified-registry:one\n");
  await Deno.writeTextFile(
    newest,
    "[origin]\ncontainer-image-reference=ostree-unverified-registry:two\n\n[foreign]\nkey=1\n",
  );
  await Deno.utime(old, 1, 1);
  const { code, stdout } = await bootc("switch", "--mutate-in-place", "--sysroot", root.path, "quay.io/example/os");
  assertEquals({ code, stdout }, { code: 0, stdout: `Updated ${"b".repeat(64)}.0 to pull from quay.io/example/os\n` });
  assertEquals(await Deno.readTextFile(old), "[origin]\ncontainer-image-reference=ostree-unverified-registry:one\n");
  assertEquals(
    await Deno.readTextFile(newest),
    "[origin]\ncontainer-image-reference=ostree-unverified-registry:quay.io/example/os\n\n[foreign]\nkey=1\n",
  );
  assertEquals([...Deno.readDirSync(directory)].length, 4);
});

Deno.test("bootc switch --mutate-in-place refuses a root without deployment", async () => {
  await using root = await tempDir();
  const { code, stderr } = await bootc("switch", "--mutate-in-place", "--sysroot", root.path, "quay.io/example/os");
  assertEquals([code, stderr], [1, `error: No deployment found below "${root.path}/ostree/deploy"\n`]);
});

Deno.test("bootc upgrade refuses a plain ostree system, which follows no image", async () => {
  await using root = await sysrootDirectory();
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  const { code, stderr } = await bootc("upgrade", "--sysroot", root.path);
  assertEquals([code, stderr], [
    1,
    "error: No image source specified\nhint: Run `bootc switch IMAGE` to follow an image\n",
  ]);
});

Deno.test("bootc upgrade refuses an image that is larger than the disk before it fetches a layer (U19)", async () => {
  await using root = await sysrootDirectory();
  await using images = await tempDir();
  const sysroot = await makeSysroot(root.path);
  await makeOsCommit(sysroot.repo);
  await deployWithOstree(sysroot);
  const image = osImage(`${images.path}/os`, { version: "1" });
  const manifestPath = `${images.path}/os/blobs/${image.digest.replace(":", "/")}`;
  const manifest = JSON.parse(await Deno.readTextFile(manifestPath));
  manifest.layers[1].size = 999_999_999_999_999;
  const text = JSON.stringify(manifest);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
  await Deno.writeTextFile(`${images.path}/os/blobs/sha256/${digest}`, text);
  const indexPath = `${images.path}/os/index.json`;
  const index = JSON.parse(await Deno.readTextFile(indexPath));
  Object.assign(index.manifests[0], { digest: `sha256:${digest}`, size: text.length });
  await Deno.writeTextFile(indexPath, JSON.stringify(index));
  const { code, stderr } = await bootc("switch", "--sysroot", root.path, "--transport", "oci", `${images.path}/os`);
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    `error: Insufficient free space for ${images.path}/os (available: `,
  );
  assertStringIncludes(stderr, "required: 1.0\u00a0PB)");
  assertEquals(
    [...Deno.readDirSync(`${sysroot.repo}/tmp`)].map(({ name }) => name).filter((name) => name !== "cache"),
    [],
  );
});
