/** Commands on images that are stored. */
import { assertEquals, assertMatch } from "@std/assert";
import { formatSize } from "../../../lib/oci/size.ts";
import { cachedUpdate, cacheUpdate, requireImage } from "../../../lib/container/images.ts";
import { parseImageReference } from "../../../lib/oci/reference.ts";
import { Repo } from "../../../lib/ostree/repo.ts";
import { file, image } from "../../image.ts";
import { ostreeText } from "../../ostree_cli.ts";
import { commitIn, refsOf, type Workshop, workshop } from "./workshop.ts";

const derived = (text: string) => image({ "usr/share/doc/new": file(text) });

/** The refs of layers. */
function layerRefs(repo: string): string[] {
  return Object.keys(refsOf(repo)).filter((ref) => ref.startsWith("ostree/container/blob/"));
}

/** Two images that share their first layer, both pulled. */
async function twoImages(shop: Workshop, repo: string): Promise<[string, string]> {
  const a = await shop.image("a", { derived: [derived("a")] });
  const b = await shop.image("b", { derived: [derived("b")] });
  for (const { reference } of [a, b]) await shop.run("image", "pull", repo, reference);
  return [a.reference, b.reference];
}

Deno.test("image list gives a reference a line, in order", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  assertEquals(await shop.run("image", "list", "--repo", repo), { code: 0, stdout: "", stderr: "" });
  const [a, b] = await twoImages(shop, repo);
  assertEquals((await shop.run("image", "list", `--repo=${repo}`)).stdout, `${a}\n${b}\n`);
});

Deno.test("image history shows the layers beside the steps that made them", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const step = { tar: derived("1"), createdBy: "RUN dnf install\n  -y x" };
  const { reference, layers } = await shop.image("image", { derived: [step], emptyHistory: ["ENV a=b"] });
  await shop.run("image", "pull", repo, reference);
  const [base, top] = layers.map(({ digest, size }) => [digest.slice(7, 27), formatSize(size)]);
  const width = Math.max(base![1]!.length, top![1]!.length);
  assertEquals(await shop.run("image", "history", "--repo", repo, `ostree-unverified-image:${reference}`), {
    code: 0,
    stderr: "",
    stdout: [
      `ID                    ${"SIZE".padEnd(width)}  CREATED BY\n`,
      `${base![0]}  ${base![1]!.padEnd(width)}  layer 0\n`,
      `${top![0]}  ${top![1]!.padEnd(width)}  RUN dnf install; -y x\n`,
    ].join(""),
  });
});

Deno.test("image metadata prints the manifest, or the configuration, as canonical JSON", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { reference, manifest, config } = await shop.image("image");
  await shop.run("image", "pull", repo, reference);
  const { stdout } = await shop.run("image", "metadata", "--repo", repo, reference);
  assertEquals(JSON.parse(stdout), manifest);
  assertMatch(stdout, /^\{"annotations":\{"ostree\.commit":"[0-9a-f]{64}"\},"config":\{"digest":/);
  assertEquals(
    JSON.parse((await shop.run("image", "metadata", "--repo", repo, reference, "--config")).stdout),
    config,
  );
});

for (const verb of ["history", "metadata", "clear-cached-update"]) {
  Deno.test(`image ${verb} says when there is no such image`, async () => {
    await using shop = await workshop();
    const repo = await shop.repo("repo");
    const { code, stdout, stderr } = await shop.run("image", verb, "--repo", repo, "registry:quay.io/x/y");
    assertEquals([code, stdout], [1, ""]);
    assertEquals(
      stderr,
      "error: No such image: docker://quay.io/x/y\nhint: See `ostree container image list`\n",
    );
  });
}

Deno.test("image clear-cached-update forgets the update and nothing else", async () => {
  await using shop = await workshop();
  const path = await shop.repo("repo");
  const [a, b] = await twoImages(shop, path);
  using repo = Repo.open(path);
  const stored = requireImage(repo, parseImageReference(a));
  cacheUpdate(repo, stored.commit, requireImage(repo, parseImageReference(b)));
  assertEquals(cachedUpdate(repo, stored.commit) === undefined, false);
  for (let i = 0; i < 2; i++) {
    assertEquals(await shop.run("image", "clear-cached-update", "--repo", path, a), {
      code: 0,
      stdout: "",
      stderr: "",
    });
    assertEquals(cachedUpdate(repo, stored.commit), undefined);
  }
  await ostreeText("fsck", `--repo=${path}`);
});

Deno.test("image remove forgets an image and the layers that it alone needs (C12)", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const [a, b] = await twoImages(shop, repo);
  assertEquals(layerRefs(repo).length, 3);
  assertEquals(await shop.run("image", "remove", "--repo", repo, a), {
    code: 0,
    stdout: "Removed images: 1 layers: 1\n",
    stderr: "",
  });
  assertEquals((await shop.run("image", "list", "--repo", repo)).stdout, `${b}\n`);
  assertEquals((await shop.run("image", "remove", "--repo", repo, b)).stdout, "Removed images: 1 layers: 2\n");
  assertEquals(await ostreeText("refs", `--repo=${repo}`), "");
});

Deno.test("image remove --skip-gc keeps the layers, and prune-layers removes them", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const [a, b] = await twoImages(shop, repo);
  assertEquals((await shop.run("image", "remove", "--skip-gc", "--repo", repo, a, b)).stdout, "Removed images: 2\n");
  assertEquals(layerRefs(repo).length, 3);
  assertEquals((await shop.run("image", "prune-layers", "--repo", repo)).stdout, "Removed layers: 3\n");
  assertEquals((await shop.run("image", "prune-layers", "--repo", repo)).stdout, "Removed layers: 0\n");
});

Deno.test("image remove refuses what is not stored, and then removes nothing", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const [a, b] = await twoImages(shop, repo);
  const { code, stdout, stderr } = await shop.run("image", "remove", "--repo", repo, a, "oci:/x", "registry:q/y");
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr.split("\n")[0], "error: Missing images: oci:/x, docker://q/y");
  assertEquals((await shop.run("image", "list", "--repo", repo)).stdout, `${a}\n${b}\n`);
});

Deno.test("image prune-layers keeps the layers of pinned bases and of deployments (C12)", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const [a, b] = await twoImages(shop, repo);
  const commits = [];
  for (const reference of [a, b]) commits.push(commitIn((await shop.run("image", "pull", repo, reference)).stdout));
  await ostreeText("refs", `--repo=${repo}`, "--create=ostree/container/baseimage/project/0", commits[0]!);
  await ostreeText("refs", `--repo=${repo}`, "--create=ostree/1/1/0", commits[1]!);
  assertEquals((await shop.run("image", "remove", "--repo", repo, a, b)).stdout, "Removed images: 2 layers: 0\n");
  await ostreeText("refs", `--repo=${repo}`, "--delete", "ostree/1/1/0");
  assertEquals((await shop.run("image", "prune-layers", "--repo", repo)).stdout, "Removed layers: 1\n");
});

for (const mode of ["bare", "bare-user", "archive"]) {
  Deno.test(`image copy brings image and layers to a ${mode} repository`, async () => {
    await using shop = await workshop();
    const [from, to] = [await shop.repo("from"), await shop.repo("to", mode)];
    const { reference } = await shop.image("image", { chunks: 2, derived: [derived("1")] });
    await shop.run("image", "pull", from, reference);
    const copy = () => shop.run("image", "copy", "--src-repo", from, "--dest-repo", to, reference);
    for (let i = 0; i < 2; i++) assertEquals(await copy(), { code: 0, stdout: "", stderr: "" });
    assertEquals(refsOf(to), refsOf(from));
    await ostreeText("fsck", `--repo=${to}`);
    assertMatch((await shop.run("image", "pull", to, reference)).stdout, /^No changes in /);
  });
}

Deno.test("image copy says which layer is missing", async () => {
  await using shop = await workshop();
  const [from, to] = [await shop.repo("from"), await shop.repo("to")];
  const { reference, layers } = await shop.image("image");
  await shop.run("image", "pull", from, reference);
  for (const ref of layerRefs(from)) await ostreeText("refs", `--repo=${from}`, "--delete", ref);
  const { code, stderr } = await shop.run("image", "copy", "--src-repo", from, "--dest-repo", to, reference);
  assertEquals(code, 1);
  assertEquals(
    stderr.split("\n")[0],
    `error: Layer "${layers[0]!.digest}" of "${reference}" is not in the repository "${from}"`,
  );
  assertEquals(await ostreeText("refs", `--repo=${to}`), "");
});
