import { assert, assertEquals, assertMatch } from "@std/assert";
import { capture, run } from "../../../lib/sys/run.ts";
import type { OsImage } from "../../os_image.ts";
import { attached, type Bench, bench, canLoop, ctx, fingerprint, mounted } from "./disk.ts";

const ignore = !canLoop;

Deno.test({
  name: "install to-disk makes partitions, deploys the image and leaves what the host is to know (I1, I5, I8)",
  ignore,
  async fn() {
    await using b = await bench();
    const image = b.image("image", { version: "1.2", kargs: ["from.image=1"] });
    const disk = await b.disk("disk.img");
    // deno-fmt-ignore
    const { code, stdout, stderr } = await b.install(
      "to-disk", "--quiet", "--via-loopback", "--filesystem", "ext4", "--bootloader", "none",
      "--source-imgref", image, "--target-imgref", "registry.example.com/os:stable",
      "--karg", "console=ttyS0", "--karg", 'quoted="a b"', disk,
    );
    assertEquals([code, stderr.replace(/^warning:.*\n/gm, "")], [0, ""], stdout);
    assertMatch(
      stdout,
      /^layers already present: 0; layers needed: 2 \([^)]+\)\nInstalled: ostree-unverified-image:oci:/,
    );
    assert(stdout.includes("\n  Follows: ostree-unverified-registry:registry.example.com/os:stable\n"), stdout);

    using loop = await attached(disk);
    const { partitiontable } = JSON.parse(await capture(ctx, ["sfdisk", "--json", "--", loop.path]));
    assertEquals(partitiontable.label, "gpt");
    assertEquals(
      partitiontable.partitions.map(({ name, type, size }: Record<string, unknown>) => [name, type, size]).slice(0, 2),
      [
        ["BIOS-BOOT", "21686148-6449-6E6F-744E-656564454649", 2048],
        ["EFI-SYSTEM", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", 1048576],
      ],
    );
    await using root = await mounted(`${loop.path}p3`, `${b.path}/root`);
    const status = await capture(ctx, ["ostree", "admin", "status", `--sysroot=${root.path}`]);
    const [, commit] = /default ([0-9a-f]{64})\.0/.exec(status)!;
    const origin = await Deno.readTextFile(`${root.path}/ostree/deploy/default/deploy/${commit}.0.origin`);
    assertEquals(
      origin,
      "[origin]\ncontainer-image-reference=ostree-unverified-registry:registry.example.com/os:stable\n",
    );
    const [entry] = [...Deno.readDirSync(`${root.path}/boot/loader/entries`)];
    const text = await Deno.readTextFile(`${root.path}/boot/loader/entries/${entry!.name}`);
    const options = /^options (.*)$/m.exec(text)!;
    // Whatever libostree wrote it: that of Debian 12 leaves /boot out.
    assertMatch(text, /^linux \/boot\/ostree\/default-[0-9a-f]{64}\/vmlinuz-/m);
    assertMatch(text, /^initrd \/boot\/ostree\/default-[0-9a-f]{64}\/initramfs-/m);
    assertMatch(
      options[1]!,
      /^root=UUID=[0-9a-f-]{36} rw from\.image=1 console=ttyS0 quoted="a b" ostree=\/ostree\/boot\.1\//,
    );
    const aleph = JSON.parse(await Deno.readTextFile(`${root.path}/.bootc-aleph.json`));
    assertEquals(aleph["target-image"], "registry.example.com/os:stable");
    assertEquals(aleph.version, "1.2");
    await run(ctx, ["ostree", "fsck", "--quiet", `--repo=${root.path}/ostree/repo`]);
    const config = await Deno.readTextFile(`${root.path}/ostree/repo/config`);
    assertMatch(config, /^readonly=true$/m);
    assertMatch(config, /^bootprefix=true$/m);
  },
});

interface Refusal {
  readonly name: string;
  readonly image?: OsImage;
  readonly words?: readonly string[];
  readonly sizeBytes?: number;
  readonly prepare?: (disk: string, b: Bench) => Promise<unknown>;
  readonly error: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "a disk with partitions (I2)",
    prepare: (disk) =>
      run(ctx, ["sfdisk", "--quiet", disk], { stdin: new TextEncoder().encode("label: gpt\nsize=10MiB\n") }),
    error: /^error: Detected existing partitions on \S+; use e\.g\. `wipefs` or --wipe if you intend to overwrite$/m,
  },
  {
    name: "a disk with a file system on it",
    prepare: (disk) => run(ctx, ["mkfs.ext4", "-q", "-F", disk]),
    error: /^error: Detected ext4 on \S+; use --wipe if you intend to overwrite$/m,
  },
  {
    name: "a disk that is too small",
    sizeBytes: 1024 ** 3,
    error: /^error: "\S+" has 1073741824 bytes, too few for a system and its next version$/m,
  },
  {
    name: "an image that is not there",
    words: ["--source-imgref", "oci:/nonexistent"],
    error: /^error: .*oci:\/nonexistent/m,
  },
  {
    name: "an image that is not made for booting (U21)",
    image: { labels: {} },
    error: /^error: Cannot install "\S+": Target image does not have ostree\.bootable label$/m,
  },
  {
    name: "an image for another machine (U21)",
    image: { architecture: "s390x" },
    error: /^error: Cannot install "\S+": Image has architecture s390x; expected /m,
  },
  {
    name: "a policy that accepts anything",
    words: ["--enforce-container-sigpolicy"],
    error: /insecureAcceptAnything|policy/,
  },
];

for (const { name, image, words = [], sizeBytes, prepare, error } of REFUSALS) {
  Deno.test({
    name: `install to-disk refuses ${name}, and changes nothing`,
    ignore,
    async fn() {
      await using b = await bench();
      const disk = await b.disk("disk.img", sizeBytes);
      await prepare?.(disk, b);
      const before = await fingerprint(disk);
      const source = words.includes("--source-imgref") ? [] : ["--source-imgref", b.image("image", image)];
      const { code, stdout, stderr } = await b.install("to-disk", "--via-loopback", ...source, ...words, disk);
      assertEquals([code, stdout], [1, ""], stderr);
      assertMatch(stderr, error);
      assertEquals(await fingerprint(disk), before);
    },
  });
}

for (
  const [what, image, cause] of [
    ["no kernel", { kernel: null }, 'Image has no kernel: no "vmlinuz" in a directory of "usr/lib/modules"'],
    [
      "no initramfs",
      { initramfs: false },
      'Image has no initramfs: no "initramfs.img" in "usr/lib/modules/6.1.0-test"',
    ],
    ["no boot loader", {}, "The image has no boot loader that could be installed"],
  ] as const
) {
  Deno.test({
    name: `install to-disk says that the disk is unusable where the image has ${what}`,
    ignore,
    async fn() {
      await using b = await bench();
      const disk = await b.disk("disk.img");
      const { code, stderr } = await b.install(
        "to-disk",
        "--quiet",
        "--via-loopback",
        "--source-imgref",
        b.image("image", image),
        disk,
      );
      assertEquals(code, 1);
      assert(stderr.includes(`error: Cannot install on "${disk}", which is unusable now: `), stderr);
      assert(stderr.includes(cause), stderr);
      assert(stderr.includes("run it again with --wipe"), stderr);
      // And so it does.
      const again = await b.install(
        ...["to-disk", "--quiet", "--via-loopback", "--wipe", "--bootloader", "none"],
        ...["--source-imgref", b.image("good"), disk],
      );
      assertEquals([again.code], [0], again.stderr);
    },
  });
}

Deno.test(
  "install to-disk without --source-imgref needs a container to be in",
  { ignore: Deno.uid() !== 0 },
  async () => {
    await using b = await bench();
    const { code, stderr } = await b.install("to-disk", "/dev/null");
    assertEquals(code, 1);
    assert(
      stderr.startsWith(
        "error: Either --source-imgref must be defined or this command must be executed inside a podman container.\n",
      ),
      stderr,
    );
  },
);
