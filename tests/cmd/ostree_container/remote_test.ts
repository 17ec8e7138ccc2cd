/** Commands on images that are not stored. */
import { assertEquals, assertMatch } from "@std/assert";
import { file, image, ociImage } from "../../image.ts";
import { startRegistry } from "../../registry.ts";
import { bootcWith } from "../bootc.ts";
import { workshop } from "./workshop.ts";

const layer = (text: string) => image({ "usr/x": file(text) });

Deno.test("info gives the digest of an image in a directory and behind a registry", async () => {
  await using shop = await workshop();
  const { digest, reference } = ociImage(`${shop.path}/image`, { layers: [layer("1")] });
  assertEquals(await shop.run("info", reference), {
    code: 0,
    stdout: `ostree-unverified-image:${reference} digest: ${digest}\n`,
    stderr: "",
  });
  await using registry = await startRegistry();
  await registry.push(`${shop.path}/image`, "os:1");
  const name = `${registry.address}/os:1`;
  for (
    const [given, shown] of [[`docker://${name}`, `ostree-unverified-registry:${name}`], [
      `ostree-image-signed:docker://${name}`,
      `ostree-image-signed:docker://${name}`,
    ]]
  ) {
    const { stdout } = await bootcWith({ argv0: "ostree-container", env: registry.env }, "info", given!);
    assertEquals(stdout, `${shown} digest: ${digest}\n`);
  }
});

Deno.test("info names an image that cannot be opened", async () => {
  await using shop = await workshop();
  const { code, stderr } = await shop.run("info", `oci:${shop.path}/none`);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot open image "oci:[^"]+\/none": /);
});

Deno.test("compare says what is new and what has gone, in layers and bytes", async () => {
  await using shop = await workshop();
  const stored = (text: string) => ({ tar: layer(text), compression: "none" as const });
  const one = ociImage(`${shop.path}/one`, { layers: ["1", "2"].map(stored) });
  const two = ociImage(`${shop.path}/two`, { layers: ["1", "3", "4"].map(stored) });
  assertEquals(await shop.run("compare", one.reference, `ostree-unverified-image:${two.reference}`), {
    code: 0,
    stdout: "Total new layers: 3     Size: 6.1\u00a0kB\nRemoved layers:   1     Size: 2.0\u00a0kB\n" +
      "Added layers:     2     Size: 4.1\u00a0kB\n",
    stderr: "",
  });
  assertEquals(
    (await shop.run("compare", one.reference, one.reference)).stdout.split("\n").slice(1),
    ["Removed layers:   0     Size: 0 bytes", "Added layers:     0     Size: 0 bytes", ""],
  );
});

Deno.test("compare needs two images", async () => {
  await using shop = await workshop();
  const { code, stderr } = await shop.run("compare", "oci:x");
  assertEquals([code, stderr.split("\n")[0]], [2, "error: Argument <IMGREF_NEW> is required"]);
});
