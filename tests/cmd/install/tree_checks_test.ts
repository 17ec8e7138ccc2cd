import { assert, assertEquals } from "@std/assert";
import { emptyFilesCpio } from "../../codec/cpio_archive.ts";
import type { OsImage } from "../../os_image.ts";
import { bench, canLoop } from "./disk.ts";

const ignore = !canLoop;
const MODULES = "usr/lib/modules/6.1.0-test";
const PREPARE_ROOT = "usr/lib/ostree/ostree-prepare-root";

/** A kernel that says what is built in, and an initramfs with files. */
function kernel(builtin: string, names: readonly string[]): OsImage {
  return { files: { [`${MODULES}/modules.builtin`]: builtin, [`${MODULES}/initramfs.img`]: emptyFilesCpio(names) } };
}

const XFS = "kernel/fs/xfs/xfs.ko\n";
const DRIVER = `${MODULES}/kernel/fs/xfs/xfs.ko.xz`;

for (
  const [what, image, error] of [
    [
      "whose initramfs has no driver for it",
      kernel("kernel/fs/ext4/ext4.ko\n", [PREPARE_ROOT, "init"]),
      `Image has an initramfs that cannot mount a root on xfs: no driver in "${MODULES}/initramfs.img"`,
    ],
    [
      "whose initramfs cannot find an ostree root",
      kernel(XFS, [DRIVER, "init"]),
      "Image has an initramfs that cannot find an ostree root",
    ],
    ["whose initramfs has the driver", kernel("", [DRIVER, PREPARE_ROOT]), undefined],
    ["whose kernel has the driver built in", kernel(XFS, [PREPARE_ROOT]), undefined],
  ] as const
) {
  Deno.test({
    name: `install to-disk onto xfs ${error ? "refuses" : "takes"} an image ${what} (5.2)`,
    ignore,
    async fn() {
      await using b = await bench();
      const disk = await b.disk("disk.img");
      const { code, stderr } = await b.install(
        ...["to-disk", "--quiet", "--via-loopback", "--filesystem", "xfs", "--bootloader", "none"],
        ...["--source-imgref", b.image("image", image), disk],
      );
      assertEquals(code, error ? 1 : 0, stderr);
      if (error) assert(stderr.includes(error) && stderr.includes("which is unusable now"), stderr);
    },
  });
}

Deno.test({
  name: "install to-disk warns of what the booted host would lose or lack (5.2)",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img");
    const image = b.image("image", {
      files: {
        "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
        "srv/a": "a",
        "opt/b": "b",
        "var/lib/dpkg/status": "",
      },
    });
    const { code, stderr } = await b.install(
      ...["to-disk", "--quiet", "--via-loopback", "--bootloader", "none", "--source-imgref", image, disk],
    );
    assertEquals(code, 0, stderr);
    assertEquals(stderr.split("\n").filter((line) => line.startsWith("warning: ")), [
      "warning: Image has an /etc/machine-id with an id in it, which all its hosts will share; make it empty",
      "warning: What the host writes to /srv, /opt is lost at its next update: make links to /var",
      "warning: Image has its package database in /var/lib/dpkg, which no update changes; move it to /usr/lib/sysimage/dpkg",
    ]);
  },
});
