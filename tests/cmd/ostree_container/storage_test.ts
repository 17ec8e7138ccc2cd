/** Images in the storage of podman, which has their layers uncompressed whatever the manifest says. */
import { assertEquals, assertMatch } from "@std/assert";
import { run } from "../../../lib/sys/run.ts";
import { plainContext } from "../../../lib/sys/context.ts";
import { mayMount } from "../../may_mount.ts";
import { osImage } from "../../os_image.ts";
import { ostreeText } from "../../ostree_cli.ts";
import { bootcWith } from "../bootc.ts";
import { commitIn, workshop } from "./workshop.ts";

Deno.test({
  name: "image pull takes an image with compressed layers from containers-storage",
  ignore: !await mayMount(), // the storage asks for as much
  async fn() {
    await using shop = await workshop();
    const [root, runRoot] = [`${shop.path}/storage`, `${shop.path}/run`];
    const settings = `[storage]\ndriver = "vfs"\nrunroot = "${runRoot}"\ngraphroot = "${root}"\n`;
    await Deno.writeTextFile(`${shop.path}/storage.conf`, settings);
    const env = { ...shop.env, CONTAINERS_STORAGE_CONF: `${shop.path}/storage.conf` };
    osImage(`${shop.path}/image`, { files: { "usr/share/file": "content\n" } });
    const image = "containers-storage:localhost/os:1";
    const words = ["skopeo", "copy", "--quiet", "--insecure-policy", `oci:${shop.path}/image`, image] as const;
    await run(plainContext({ ...Deno.env.toObject(), ...env }), words);
    const repo = await shop.repo("repo");
    const { code, stdout, stderr } = await bootcWith({ argv0: "ostree-container", env }, "image", "pull", repo, image);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^layers already present: 0; layers needed: 2 /);
    assertEquals(await ostreeText(`--repo=${repo}`, "cat", commitIn(stdout), "/usr/share/file"), "content\n");
    await ostreeText("fsck", `--repo=${repo}`);
    // Stored under the digest that the registry knows: the same image from elsewhere is no other one.
    const again = await shop.run("image", "pull", repo, `oci:${shop.path}/image`);
    assertMatch(again.stdout, /^layers already present: 2; layers needed: 0\n/);
  },
});
