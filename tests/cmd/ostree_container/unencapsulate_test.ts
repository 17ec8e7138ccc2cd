import { assertEquals, assertMatch } from "@std/assert";
import { Variant } from "../../../lib/codec/gvariant.ts";
import { encodeMetadata } from "../../../lib/ostree/commit.ts";
import { Repo } from "../../../lib/ostree/repo.ts";
import { file, image, ociImage } from "../../image.ts";
import { ostreeText } from "../../ostree_cli.ts";
import { workshop } from "./workshop.ts";

for (const mode of ["bare", "bare-user"]) {
  for (const chunks of [0, 3]) {
    Deno.test(`unencapsulate gives the original commit in a ${mode} repository, from ${chunks} chunks (C2)`, async () => {
      await using shop = await workshop();
      const commit = await shop.commit({ metadata: { version: "42" } });
      const repo = await shop.repo("repo", mode);
      const { reference } = await shop.image("image", { chunks });
      const imported = await shop.run("unencapsulate", "--repo", repo, "--quiet", reference, "--write-ref", "x/y");
      assertEquals(imported, { code: 0, stdout: `Imported: x/y => ${commit}\n`, stderr: "" });
      assertEquals(await ostreeText("refs", `--repo=${repo}`), "x/y\n");
      assertEquals(await ostreeText("rev-parse", `--repo=${repo}`, "x/y"), `${commit}\n`);
      await ostreeText("fsck", `--repo=${repo}`);
    });
  }
}

Deno.test("unencapsulate, also called import, leaves no ref unless it is asked to", async () => {
  await using shop = await workshop();
  const commit = await shop.commit();
  const repo = await shop.repo("repo");
  const { reference } = await shop.image("image");
  const { code, stdout } = await shop.run("import", "--repo", repo, reference);
  assertEquals([code, stdout], [0, `Imported: ${commit}\n`]);
  assertEquals(await ostreeText("refs", `--repo=${repo}`), "");
  assertEquals((await ostreeText("show", `--repo=${repo}`, commit)).startsWith(`commit ${commit}\n`), true);
});

Deno.test("unencapsulate fetches no layer that a pull has stored", async () => {
  await using shop = await workshop();
  const commit = await shop.commit();
  const repo = await shop.repo("repo");
  const { reference, layers } = await shop.image("image", { chunks: 2 });
  await shop.run("image", "pull", repo, reference);
  for (const { digest } of layers) await Deno.remove(`${shop.path}/image/blobs/${digest.replace(":", "/")}`);
  const { stdout } = await shop.run("unencapsulate", "--repo", repo, reference, "--write-ref", "x");
  assertEquals(stdout, `Imported: x => ${commit}\n`);
});

Deno.test("unencapsulate brings the commit's detached metadata", async () => {
  await using shop = await workshop();
  const commit = await shop.commit();
  using source = Repo.open(`${shop.path}/source`);
  const metadata = encodeMetadata(new Map([["x.signature", new Variant("s", "signed")]]));
  source.writeDetachedMetadata(commit, metadata);
  const path = await shop.repo("repo");
  const { reference } = await shop.image("image");
  assertEquals((await shop.run("unencapsulate", "--repo", path, reference)).code, 0);
  using repo = Repo.open(path);
  assertEquals(repo.readDetachedMetadata(commit), metadata);
});

const REFUSED: [what: string, layers: number, error: string][] = [
  ["further layers (C3)", 2, "Image has 2 non-ostree layers"],
  ["no ostree part", 0, "Image holds no ostree commit: it has no label ostree.final-diffid"],
];

for (const [what, count, error] of REFUSED) {
  Deno.test(`unencapsulate refuses an image with ${what}`, async () => {
    await using shop = await workshop();
    const repo = await shop.repo("repo");
    const layers = Array.from({ length: count }, (_, i) => image({ "usr/x": file(`${i}`) }));
    const { reference } = count === 0
      ? ociImage(`${shop.path}/image`, { layers: [image({ "usr/x": file() })] })
      : await shop.image("image", { derived: layers });
    const { code, stdout, stderr } = await shop.run("unencapsulate", "--repo", repo, reference, "--write-ref", "x");
    assertEquals([code, stdout, stderr.split("\n")[0]], [1, "", `error: ${error}`]);
    assertEquals(await ostreeText("refs", `--repo=${repo}`), "");
  });
}

Deno.test("unencapsulate of a damaged image leaves no ref and a repository in order", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { reference } = await shop.image("image", { chunks: 2, lie: { diffId: 1 } });
  const { code, stderr } = await shop.run("unencapsulate", "--repo", repo, "--quiet", reference, "--write-ref", "x");
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot pull "[^"]+": Layer "sha256:[0-9a-f]{64}": Its diff_id is /);
  assertEquals(await ostreeText("refs", `--repo=${repo}`), "");
  await ostreeText("fsck", `--repo=${repo}`);
});

Deno.test("unencapsulate refuses a ref that ostree would not take before it fetches anything", async () => {
  await using shop = await workshop();
  const repo = await shop.repo("repo");
  const { code, stderr } = await shop.run("unencapsulate", "--repo", repo, "oci:/nowhere", "--write-ref", "a//b");
  assertEquals([code, stderr], [1, 'error: "a//b" is no valid ostree ref\n']);
});
