import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { digestOf, file, image, type NativeImageSource } from "../../image.ts";
import { ostreeText } from "../../ostree_cli.ts";
import { authfileText, startRegistry } from "../../registry.ts";
import { bootcWith } from "../bootc.ts";
import { commitIn, workshop } from "./workshop.ts";

const NBSP = "\u00a0";
const derived = (text: string) => image({ "usr/share/doc/new": file(text) });

Deno.test("image pull stores an image, says what it fetches, and ends with its commit", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { reference, layers } = await shop.image("image", { derived: [derived("1")] });
  const { code, stdout, stderr } = await shop.run("image", "pull", repo, `ostree-unverified-image:${reference}`);
  const commit = commitIn(stdout);
  assertMatch(stdout, new RegExp(`^layers already present: 0; layers needed: 2 \\([\\d.]+${NBSP}kB\\)\nWrote: `));
  assert(stdout.endsWith(`\nWrote: ostree-unverified-image:${reference} => ${commit}\n`), stdout);
  assertEquals(code, 0);
  for (const { digest } of layers) assert(stderr.includes(digest.slice("sha256:".length).slice(0, 12)), stderr);
  const refs = await ostreeText("refs", `--repo=${repo}`, "--list", "ostree/container/image");
  assertEquals(await ostreeText("rev-parse", `--repo=${repo}`, refs.trim()), `${commit}\n`);
  await ostreeText("fsck", `--repo=${repo}`);
});

Deno.test("image pull says when there is nothing new, and writes the commit's checksum where it is told to", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { reference } = await shop.image("image");
  const pull = () => shop.run("image", "pull", repo, reference, "--ostree-digestfile", `${shop.path}/digest`);
  const commit = commitIn((await pull()).stdout);
  assertEquals(await Deno.readTextFile(`${shop.path}/digest`), commit);
  await Deno.remove(`${shop.path}/digest`);
  assertEquals(await pull(), {
    code: 0,
    stdout: `No changes in ostree-unverified-image:${reference} => ${commit}\n`,
    stderr: "",
  });
  assertEquals(await Deno.readTextFile(`${shop.path}/digest`), commit);
});

Deno.test("image pull of a new version compares it with the stored one and fetches what changed", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { reference } = await shop.image("image", { derived: [derived("1")] });
  const before = await shop.run("image", "pull", repo, reference);
  await shop.image("image", { derived: [derived("2")] });
  const { stdout } = await shop.run("image", "pull", repo, reference);
  const [total, removed, added, plan] = stdout.split("\n");
  assertMatch(total!, /^Total new layers: 2 {5}Size: /);
  assertMatch(removed!, /^Removed layers: {3}1 {5}Size: \d+ bytes$/);
  assertMatch(added!, /^Added layers: {5}1 {5}Size: \d+ bytes$/);
  assertMatch(plan!, /^layers already present: 1; layers needed: 1 \(\d+ bytes\)$/);
  assertNotEquals(commitIn(before.stdout), commitIn(stdout));
});

Deno.test("image pull --check fetches no layer and writes the manifest of a new version only", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { reference, manifest } = await shop.image("image");
  const check = () => shop.run("image", "pull", repo, reference, "--check", `${shop.path}/manifest`);
  assertEquals(await check(), { code: 0, stdout: "", stderr: "" });
  assertEquals(JSON.parse(await Deno.readTextFile(`${shop.path}/manifest`)), manifest);
  assertEquals(await ostreeText("refs", `--repo=${repo}`), "");
  await Deno.remove(`${shop.path}/manifest`);
  await shop.run("image", "pull", repo, reference);
  assertMatch((await check()).stdout, /^No changes in /);
  assertEquals([...Deno.readDirSync(shop.path)].some(({ name }) => name === "manifest"), false);
});

Deno.test("image pull into two repositories gives the same merge commit (C11)", async () => {
  await using shop = await workshop();
  const { reference } = await shop.image("image", { chunks: 3, derived: [derived("1"), derived("2")] });
  const commits = [];
  for (const [name, mode] of [["a", "bare"], ["b", "bare"], ["c", "bare-user"]] as const) {
    const repo = await shop.repo(name, mode);
    commits.push(commitIn((await shop.run("image", "pull", repo, reference)).stdout));
    await ostreeText("fsck", `--repo=${repo}`);
  }
  assertEquals(new Set(commits).size, 1);
});

Deno.test("image pull of a recompressed image fetches no layer (U23)", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const source: NativeImageSource = { chunks: 2, derived: [derived("1")] };
  const gzip = await shop.image("gzip", source);
  const zstd = await shop.image("zstd", {
    ...source,
    compression: "zstd",
    derived: [{ tar: derived("1"), compression: "zstd" }],
  });
  const first = await shop.run("image", "pull", repo, gzip.reference);
  await Deno.remove(`${shop.path}/zstd/blobs/${zstd.layers[0]!.digest.replace(":", "/")}`);
  const second = await shop.run("image", "pull", repo, zstd.reference);
  assertMatch(second.stdout, /^layers already present: 4; layers needed: 0\nWrote: /);
  const [a, b] = [commitIn(first.stdout), commitIn(second.stdout)];
  assertEquals(await ostreeText("diff", `--repo=${repo}`, a, b), "");
  await ostreeText("fsck", `--repo=${repo}`);
});

Deno.test("image pull after a failed one reuses the layers that were finished", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const layers = [derived("1"), derived("2")];
  const { reference } = await shop.image("image", { derived: layers, lie: { diffId: 2 } });
  const failed = await shop.run("image", "pull", repo, "--quiet", reference);
  assertEquals(failed.code, 1);
  assertMatch(failed.stderr, /^error: Cannot pull "ostree-unverified-image:oci:[^"]+": Layer "sha256:[0-9a-f]{64}": /);
  assertEquals(await ostreeText("refs", `--repo=${repo}`, "--list", "ostree/container/image"), "");
  await ostreeText("fsck", `--repo=${repo}`);
  await shop.image("image", { derived: layers });
  assertMatch(
    (await shop.run("image", "pull", repo, reference)).stdout,
    /^layers already present: 2; layers needed: 1 /,
  );
});

Deno.test("image pull stores an image that cannot boot, with a notice", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { reference } = await shop.image("image", { bootable: false, architecture: "s390x" });
  const { code, stderr } = await shop.run("image", "pull", "--quiet", repo, reference);
  assertEquals([code, stderr], [0, "notice: Image is missing label: containers.bootc\n"]);
});

Deno.test("image pull says which paths an ostree tree cannot hold, one by one with -v", async () => {
  await using shop = await workshop();
  const tree = { "srv/a": file(), "opt/b": file(), "opt/größe": file() };
  const { reference } = await shop.image("image", { derived: [image(tree)] });
  const line = "Image contains non-ostree compatible file paths: opt: 2, srv: 1\n";
  const plain = await shop.run("image", "pull", "--quiet", await shop.repo("a"), reference);
  assertEquals(plain.stderr, line);
  const verbose = await shop.run("image", "pull", "--quiet", "-v", await shop.repo("b"), reference);
  assertEquals(verbose.stderr, `${line}- srv/a\n- opt/b\n- opt/größe\n`);
});

const BAD_REFERENCES: [text: string, message: string][] = [
  ["ostree-foo:oci:x", "Invalid ostree image reference scheme: ostree-foo"],
  ["quay.io/x/y:latest", 'Unknown transport "quay.io/x/y" in image reference "quay.io/x/y:latest"'],
  ["docker:x", 'Missing "//" behind "docker:" in image reference "docker:x"'],
  ["oci:", 'Empty name in image reference "oci:"'],
  ["", 'Missing ":" in image reference ""'],
];

for (const [text, message] of BAD_REFERENCES) {
  Deno.test(`image pull refuses "${text}" as a wrong command line`, async () => {
    const { code, stdout, stderr } = await bootcWith({ argv0: "ostree-container" }, "image", "pull", "repo", text);
    assertEquals([code, stdout], [2, ""]);
    assertEquals(stderr.split("\n")[0], `error: ${message}`);
  });
}

Deno.test("image pull refuses a repository that is not there", async () => {
  await using shop = await workshop();
  const { code, stderr } = await shop.run("image", "pull", `${shop.path}/none`, "oci:x");
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot open the ostree repository "[^"]*\/none": /);
});

Deno.test("image pull of a signed reference refuses a policy that accepts everything, before it looks (P3)", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { code, stderr } = await shop.run("image", "pull", repo, "ostree-image-signed:docker://127.0.0.1:1/x");
  assertEquals(code, 1);
  assertMatch(stderr, /containers-policy\.json specifies a default of `insecureAcceptAnything`; refusing usage/);
});

Deno.test("image pull refuses what cannot fit before it fetches anything (U19)", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { reference, manifest, digest } = await shop.image("image");
  const layers = manifest["layers"] as { size: number }[];
  layers[0]!.size = 999_999_999_999_999;
  const changed = new TextEncoder().encode(JSON.stringify(manifest));
  await Deno.writeFile(`${shop.path}/image/blobs/${digestOf(changed).replace(":", "/")}`, changed);
  const index = await Deno.readTextFile(`${shop.path}/image/index.json`);
  await Deno.writeTextFile(
    `${shop.path}/image/index.json`,
    index.replace(digest, digestOf(changed)).replace(/"size":\d+/, `"size":${changed.length}`),
  );
  const { code, stderr } = await shop.run("image", "pull", repo, reference);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^error: Insufficient free space for \S+ \(available: [^:]+ required: 1000\.0\u00a0TB\)\n/,
  );
  assertEquals([...Deno.readDirSync(`${repo}/tmp`)].filter(({ name }) => name !== "cache"), []);
});

Deno.test("image pull leaves the same repository with the faster ways switched off", async () => {
  await using shop = await workshop();
  const { reference } = await shop.image("image", { derived: [derived("1")] });
  const [fast, slow] = [await shop.repo("fast"), await shop.repo("slow")];
  const first = await shop.run("image", "pull", fast, reference);
  const second = await bootcWith(
    { argv0: "ostree-container", env: { ...shop.env, BOOTC_TEST_DISABLE: "isal,direct" } },
    ...["image", "pull", slow, reference],
  );
  assertEquals(commitIn(second.stdout), commitIn(first.stdout));
  const objects = async (repo: string) =>
    (await ostreeText("fsck", `--repo=${repo}`)).replaceAll(/.*(\d+ objects).*/g, "$1");
  assertEquals(await objects(slow), await objects(fast));
  const unknown = await bootcWith({ argv0: "ostree-container", env: { ...shop.env, BOOTC_TEST_DISABLE: "isa" } }, ...[
    "image",
    "pull",
    slow,
    reference,
  ]);
  assertEquals(unknown.stderr, 'error: BOOTC_TEST_DISABLE names "isa", which is unknown\n');
});

Deno.test("image pull takes logins from --authfile and leaves them with --auth-anonymous", async () => {
  await using shop = await workshop();
  await using registry = await startRegistry({ login: true });
  await shop.image("image");
  await registry.push(`${shop.path}/image`, "os:latest");
  const authfile = `${shop.path}/auth.json`;
  await Deno.writeTextFile(authfile, authfileText(registry.address));
  const reference = `ostree-unverified-registry:${registry.address}/os:latest`;
  const repo = await shop.repo("repo");
  const pull = (...words: string[]) =>
    bootcWith({ argv0: "ostree-container", env: registry.env }, "image", "pull", "--quiet", repo, reference, ...words);
  assertEquals((await pull("--auth-anonymous", "--authfile", authfile)).code, 1);
  const { code, stdout } = await pull("--authfile", authfile);
  assertEquals(code, 0);
  assert(stdout.includes(`\nWrote: ${reference} => `), stdout);
});
