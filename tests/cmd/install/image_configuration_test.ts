import { assert, assertEquals } from "@std/assert";
import type { OsImage } from "../../os_image.ts";
import { bootcWith } from "../bootc.ts";
import { attached, bench, canLoop, fingerprint, HERE, mounted } from "./disk.ts";

const ignore = !canLoop;

/** An image with an install configuration. */
function configured(toml: string): OsImage {
  return { files: { "usr/lib/bootc/install/50-test.toml": `[install]\n${toml}\n` } };
}

Deno.test({
  name: "install to-disk leaves root= out and sets libostree's words, as the image's configuration says",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    const image = b.image(
      "image",
      configured('discoverable-partitions = true\n[install.ostree]\nbls-append-except-default = "old=1"'),
    );
    const words = ["to-disk", "--quiet", "--via-loopback", "--bootloader", "none", "--source-imgref", image, disk];
    const { code, stderr } = await b.install(...words);
    assertEquals(code, 0, stderr);
    using loop = await attached(disk);
    await using root = await mounted(`${loop.path}p3`, `${b.path}/root`);
    const [entry] = [...Deno.readDirSync(`${root.path}/boot/loader/entries`)];
    const text = await Deno.readTextFile(`${root.path}/boot/loader/entries/${entry!.name}`);
    assert(/^options rw ostree=/m.test(text), text);
    const config = await Deno.readTextFile(`${root.path}/ostree/repo/config`);
    assert(config.includes("\nbls-append-except-default=old=1\n"), config);
  },
});

Deno.test({
  name: "install to-disk verifies an image that demands signatures, and the host follows it under the policy",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    const image = b.image("image", configured("enforce-container-sigpolicy = true"));
    const policy = { default: [{ type: "reject" }], transports: { oci: { "": [{ type: "insecureAcceptAnything" }] } } };
    await Deno.mkdir(`${b.path}/home/.config/containers`, { recursive: true });
    await Deno.writeTextFile(`${b.path}/home/.config/containers/policy.json`, JSON.stringify(policy));
    const { code, stdout, stderr } = await bootcWith(
      { env: { ...HERE, HOME: `${b.path}/home` } },
      ...["install", "to-disk", "--quiet", "--via-loopback", "--bootloader", "none", "--source-imgref", image, disk],
    );
    assertEquals(code, 0, stderr);
    assert(stdout.includes(`\n  Follows: ostree-image-signed:${image}\n`), stdout);
    using loop = await attached(disk);
    await using root = await mounted(`${loop.path}p3`, `${b.path}/root`);
    const deploy = `${root.path}/ostree/deploy/default/deploy`;
    const origin = [...Deno.readDirSync(deploy)].find(({ name }) => name.endsWith(".origin"))!;
    assertEquals(
      await Deno.readTextFile(`${deploy}/${origin.name}`),
      `[origin]\ncontainer-image-reference=ostree-image-signed:${image}\n`,
    );
  },
});

const UNUSABLE = [
  [
    "a block setup that was not made",
    'block = ["tpm2-luks"]',
    [],
    'Block setup "direct" is not enabled in the install configuration',
  ],
  ["no block setup at all", "block = []", [], "The install configuration enables no block setup"],
  [
    "signatures that nobody checks here",
    "enforce-container-sigpolicy = true",
    [],
    "insecureAcceptAnything",
  ],
  ["a boot loader of the composefs backend", 'bootloader = "systemd"', [], 'The boot loader "systemd" cannot boot'],
] as const;

for (const [what, toml, words, cause] of UNUSABLE) {
  Deno.test({
    name: `install to-disk fails where the image's configuration demands ${what}`,
    ignore,
    async fn() {
      await using b = await bench();
      const disk = await b.disk("disk.img");
      const image = b.image("image", configured(toml));
      const loader = toml.startsWith("bootloader") ? [] : ["--bootloader", "none"];
      const { code, stderr } = await b.install(
        ...["to-disk", "--quiet", "--via-loopback", ...loader, ...words, "--source-imgref", image, disk],
      );
      assertEquals(code, 1);
      assert(stderr.includes(`error: Cannot install on "${disk}", which is unusable now: `), stderr);
      assert(stderr.includes(cause), stderr);
    },
  });
}

Deno.test({
  name: "install to-disk names file, line and key of a wrong configuration in the image",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    for (
      const [name, toml, cause] of [
        [
          "line",
          "block = [",
          /Cannot read the install configuration "\/usr\/lib\/bootc\/install\/50-test\.toml": .*on line 3, column 0: Array is not closed/,
        ],
        ["key", 'kargs = "quiet"', /50-test\.toml": Line 2: Key "install\.kargs" is "quiet", expected a list of texts/],
        ["unknown", "colour = 1", /50-test\.toml": Line 2: Key "install\.colour" is not known/],
      ] as const
    ) {
      const image = b.image(name, configured(toml));
      const { code, stderr } = await b.install(
        ...["to-disk", "--quiet", "--via-loopback", "--wipe", "--bootloader", "none", "--source-imgref", image, disk],
      );
      assertEquals(code, 1);
      assert(cause.test(stderr), stderr);
      assert(stderr.includes("which is unusable now"), stderr);
    }
  },
});

Deno.test({
  name: "install to-disk installs an image with bound images only without them",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    const image = b.image("image", { links: { "usr/lib/bootc/bound-images.d/app.image": "/usr/share/app.image" } });
    const words = ["to-disk", "--quiet", "--via-loopback", "--wipe", "--bootloader", "none", "--source-imgref", image];
    for (const bound of [[], ["--bound-images", "stored"], ["--bound-images", "pull"]]) {
      const { code, stderr } = await b.install(...words, ...bound, disk);
      assertEquals(code, 1);
      assert(stderr.includes("Cannot install the images that this one is bound to: app.image"), stderr);
      assert(stderr.includes("hint: Give --bound-images skip, and pull them on the host; then run it again"), stderr);
    }
    const { code, stderr } = await b.install(...words, "--bound-images", "skip", disk);
    assertEquals(code, 0, stderr);
  },
});

const EARLY = [
  ["--block-setup tpm2-luks", 'error: Block setup "tpm2-luks" cannot be made yet\n'],
  ["--bootloader systemd", 'error: The boot loader "systemd" cannot boot a system of ostree\n'],
  ["--bootloader grub-cc", 'error: The boot loader "grub-cc" cannot boot a system of ostree\n'],
  [
    "--run-fetch-check --target-transport oci --target-imgref /nonexistent",
    'error: The host could not fetch the image that it is to follow, "ostree-unverified-image:oci:/nonexistent": ',
  ],
] as const;

for (const [words, error] of EARLY) {
  Deno.test({
    name: `install to-disk ${words} is refused, and changes nothing`,
    ignore,
    async fn() {
      await using b = await bench();
      const disk = await b.disk("disk.img");
      const before = await fingerprint(disk);
      const { code, stdout, stderr } = await b.install(
        ...["to-disk", "--via-loopback", "--source-imgref", b.image("image"), ...words.split(" "), disk],
      );
      assertEquals([code, stdout], [1, ""], stderr);
      assert(stderr.startsWith(error), stderr);
      assertEquals(await fingerprint(disk), before);
    },
  });
}

Deno.test({
  name: "install to-disk accepts what only says how it is anyway, and a target that can be fetched",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    const image = b.image("image");
    const target = ["--target-transport", "oci", "--target-imgref", image.replace("oci:", "")];
    const { code, stderr } = await b.install(
      ...["to-disk", "--quiet", "--via-loopback", "--bootloader", "none", "--block-setup", "direct", "--generic-image"],
      ...["--run-fetch-check", "--skip-fetch-check", ...target, "--source-imgref", image, disk],
    );
    assertEquals(code, 0, stderr);
  },
});
