import { assert, assertEquals } from "@std/assert";
import { bootupdImage } from "./bootupd_image.ts";
import { attached, bench, canLoop, ctx, mounted } from "./disk.ts";
import { capture } from "../../../lib/sys/run.ts";

const ignore = !canLoop;

const RUNS = [
  ["on a file", [], false, "--write-uuid --filesystem /sysroot /"],
  [
    "not tied to the UUID of /boot",
    ["--bootupd-skip-boot-uuid"],
    false,
    "--with-static-configs --filesystem /sysroot /",
  ],
  ["of a version that wants the disk", [], true, "--write-uuid --device DISK /"],
] as const;

for (const [what, words, old, expected] of RUNS) {
  Deno.test({
    name: `install to-disk lets the image's bootupd install the loader, ${what} (a scripted bootupctl)`,
    ignore,
    async fn() {
      await using b = await bench();
      const disk = await b.disk("disk.img");
      const image = b.image("image", await bootupdImage({ old }));
      const { code, stdout, stderr } = await b.install(
        ...["to-disk", "--quiet", "--via-loopback", ...words, "--source-imgref", image, disk],
      );
      assertEquals(code, 0, stderr);
      assert(stdout.includes("\n  Boot loader: bootupd\n"), stdout);
      using loop = await attached(disk);
      await using root = await mounted(`${loop.path}p3`, `${b.path}/root`);
      const log = await Deno.readTextFile(`${root.path}/ostree/bootupd.log`);
      assertEquals(
        log.replace(/\/dev\/loop\d+/, "DISK").replace(/^\/boot\/ostree.*\n/m, ""),
        `backend install ${expected}\n/boot/boot\n/boot/efi\n/boot/loader\n/boot/loader.1\n/sysroot is the target\n`,
      );
      // libostree leaves the entries to a GRUB that reads them.
      assert((await Deno.readTextFile(`${root.path}/ostree/repo/config`)).includes("\nbootloader=none\n"));
      assertEquals(
        (await capture(ctx, ["blkid", "-o", "value", "-s", "LABEL", `${loop.path}p2`])).trim(),
        "EFI-SYSTEM",
      );
    },
  });
}

Deno.test({
  name: "install to-disk names the disk as unusable where bootupd fails (a scripted bootupctl)",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    const image = b.image("image", await bootupdImage({ fails: true }));
    const { code, stderr } = await b.install("to-disk", "--quiet", "--via-loopback", "--source-imgref", image, disk);
    assertEquals(code, 1);
    assert(stderr.includes(`error: Cannot install on "${disk}", which is unusable now: `), stderr);
    assert(stderr.includes("failed with exit code 1: no component"), stderr);
  },
});

Deno.test({
  name: "install to-disk --bootloader none leaves bootupd out",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    const image = b.image("image", await bootupdImage());
    const { code, stdout, stderr } = await b.install(
      ...["to-disk", "--quiet", "--via-loopback", "--bootloader", "none", "--source-imgref", image, disk],
    );
    assertEquals(code, 0, stderr);
    assert(stdout.includes("\n  Boot loader: none\n"), stdout);
  },
});
