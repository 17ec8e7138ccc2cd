import { assertEquals, assertMatch } from "@std/assert";
import { file, image } from "../../image.ts";
import { ostreeText } from "../../ostree_cli.ts";
import { makeSysroot, type TestSysroot } from "../../sysroot.ts";
import { type Workshop, workshop } from "./workshop.ts";

/** A system root with a deployed image, and one that is only stored; gives their references. */
async function twoImages(shop: Workshop): Promise<{ sysroot: TestSysroot; deployed: string; stored: string }> {
  const sysroot = await makeSysroot(`${shop.path}/sysroot`);
  const [deployed, stored] = await Promise.all(
    ["deployed", "stored"].map((name) => shop.image(name, { derived: [image({ "usr/share/name": file(name) })] })),
  );
  await shop.run("image", "deploy", "--sysroot", sysroot.path, "--imgref", deployed!.reference);
  await shop.run("image", "pull", sysroot.repo, stored!.reference);
  return { sysroot, deployed: deployed!.reference, stored: stored!.reference };
}

Deno.test("image prune-images removes the images that no deployment follows", async () => {
  await using shop = await workshop();
  const { sysroot, deployed, stored } = await twoImages(shop);
  const prune = (...words: string[]) => shop.run("image", "prune-images", "--sysroot", sysroot.path, ...words);
  assertEquals(await prune(), { code: 0, stdout: `Removed: ${stored}\n`, stderr: "" });
  assertEquals((await shop.run("image", "list", "--repo", sysroot.repo)).stdout, `${deployed}\n`);
  assertEquals((await prune()).stdout, "No unreferenced images.\n");
  assertEquals((await shop.run("image", "prune-layers", "--repo", sysroot.repo)).stdout, "Removed layers: 1\n");
});

Deno.test("image prune-images --and-layers removes their layers too", async () => {
  await using shop = await workshop();
  const { sysroot, stored } = await twoImages(shop);
  const prune = () => shop.run("image", "prune-images", "--sysroot", sysroot.path, "--and-layers");
  assertEquals((await prune()).stdout, `Removed: ${stored}\nRemoved layers: 1\n`);
  assertEquals((await prune()).stdout, "No unreferenced images.\n");
});

Deno.test("image prune-images --full frees the objects, and says when there is nothing to free", async () => {
  await using shop = await workshop();
  const { sysroot } = await twoImages(shop);
  const prune = () => shop.run("image", "prune-images", "--sysroot", sysroot.path, "--full");
  const { code, stdout, stderr } = await prune();
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Removed images: 1\nRemoved layers: 1\nRemoved objects: \d+\nFreed: [\d.]+.(bytes|kB)\n$/);
  await ostreeText("fsck", `--repo=${sysroot.repo}`);
  assertEquals((await prune()).stdout, "No content was pruned.\n");
});

Deno.test("image prune-images removes nothing where an origin cannot be read", async () => {
  await using shop = await workshop();
  const { sysroot, deployed, stored } = await twoImages(shop);
  const folder = `${sysroot.path}/ostree/deploy/default/deploy`;
  const origin = [...Deno.readDirSync(folder)].find(({ name }) => name.endsWith(".origin"))!.name;
  await Deno.writeTextFile(`${folder}/${origin}`, "[origin]\ncontainer-image-reference=nonsense\n");
  const { code, stderr } = await shop.run("image", "prune-images", "--sysroot", sysroot.path);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot read the origin of deployment "[0-9a-f]{64}\.0" of "default": /);
  const { stdout } = await shop.run("image", "list", "--repo", sysroot.repo);
  assertEquals(stdout, `${deployed}\n${stored}\n`);
});

Deno.test("image prune-images takes one of --and-layers and --full", async () => {
  await using shop = await workshop();
  const { code, stderr } = await shop.run(
    ...["image", "prune-images", "--sysroot", "/nowhere", "--and-layers", "--full"],
  );
  assertEquals([code, stderr.split("\n")[0]], [2, 'error: Option "--full" cannot be used with "--and-layers"']);
});
