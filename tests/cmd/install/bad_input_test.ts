import { assert, assertEquals, assertMatch } from "@std/assert";
import { Descriptor } from "../../../lib/sys/descriptor.ts";
import { AT_FDCWD, cstr, O_EXCL, O_RDONLY, openat } from "../../../lib/sys/libc.ts";
import { attachLoopDevice } from "../../../lib/sys/libc_loop.ts";
import { run } from "../../../lib/sys/run.ts";
import type { OsImage } from "../../os_image.ts";
import { bootcWith } from "../bootc.ts";
import { type Bench, bench, canLoop, ctx, fingerprint, HERE, mounted } from "./disk.ts";
import { grubImage } from "./grub_image.ts";

const ignore = !canLoop;

/** A target that is wrong: the words, the code, what is said. */
interface WrongTarget {
  readonly name: string;
  /** Prepares the file and gives the words with the target in them; what it uses ends with the stack. */
  readonly words: (
    disk: string,
    stack: AsyncDisposableStack,
    b: Bench,
  ) => Promise<readonly string[]> | readonly string[];
  readonly env?: (b: Bench) => Promise<Record<string, string>>;
  readonly code?: number;
  readonly error: RegExp;
}

/** All programs that are there now, but one. */
async function pathWithout(b: Bench, program: string): Promise<Record<string, string>> {
  const bin = `${b.path}/bin`;
  await Deno.mkdir(bin);
  for (const directory of ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]) {
    for (const { name } of Deno.readDirSync(directory)) {
      if (name !== program) await Deno.symlink(`${directory}/${name}`, `${bin}/${name}`).catch(() => {});
    }
  }
  return { PATH: bin };
}

const WRONG_TARGETS: readonly WrongTarget[] = [
  {
    name: "a disk of which something is mounted, also to wipe it",
    words: async (disk, stack, b) => {
      await run(ctx, ["mkfs.ext4", "-q", "-F", disk]);
      const { path } = stack.use(attachLoopDevice(disk));
      stack.use(await mounted(path, `${b.path}/mounted`));
      return ["--wipe", path];
    },
    error: /^error: Device \/dev\/loop\d+ is mounted: \S+\/mounted$/m,
  },
  {
    name: "a device that somebody has for himself",
    words: (disk, stack) => {
      const { path } = stack.use(attachLoopDevice(disk));
      stack.use(new Descriptor(openat(AT_FDCWD, cstr(path), O_RDONLY | O_EXCL)));
      return ["--wipe", path];
    },
    error: /^error: Cannot use device \/dev\/loop\d+: openat: Device or resource busy$/m,
  },
  {
    name: "a file without --via-loopback",
    words: (disk) => [disk],
    error:
      /^error: Cannot use "\S+" as a disk: it is no block device\nhint: A file becomes a disk with --via-loopback$/m,
  },
  {
    name: "a directory with --via-loopback",
    words: (_, __, b) => ["--via-loopback", b.path],
    error: /^error: Cannot use "\S+" as a disk with --via-loopback: it is no regular file$/m,
  },
  {
    name: "a disk that is not there",
    words: (_, __, b) => [`${b.path}/nothing`],
    error: /^error: Cannot use "\S+\/nothing" as a disk: No such file or directory/m,
  },
  {
    name: "an unknown file system",
    words: (disk) => ["--via-loopback", "--filesystem", "zfs", disk],
    code: 2,
    error: /--filesystem.*zfs|zfs.*--filesystem/,
  },
  {
    name: "a root that does not fit",
    words: (disk) => ["--via-loopback", "--root-size", "20G", disk],
    error: /^error: A root partition of 20480 MiB does not fit on "\S+", which has 3221225472 bytes$/m,
  },
  {
    name: "a root in which nothing fits",
    words: (disk) => ["--via-loopback", "--root-size", "20", disk],
    error: /^error: A root partition of 20 MiB is too small, expected at least 512$/m,
  },
  {
    name: "a size that is none",
    words: (disk) => ["--via-loopback", "--root-size", "20 bananas", disk],
    code: 2,
    error: /Size "20 bananas" is no number with M, G or T, such as 20G/,
  },
  {
    name: "a file system that nothing here can make",
    words: (disk) => ["--via-loopback", "--filesystem", "btrfs", disk],
    env: (b) => pathWithout(b, "mkfs.btrfs"),
    error: /^error: Cannot start "mkfs\.btrfs": no such program\nhint: Install the package that has mkfs\.btrfs$/m,
  },
];

for (const { name, words, env, code = 1, error } of WRONG_TARGETS) {
  Deno.test({
    name: `install to-disk refuses ${name}, and changes nothing`,
    ignore,
    async fn() {
      await using b = await bench();
      await using stack = new AsyncDisposableStack();
      const disk = await b.disk("disk.img");
      const target = await words(disk, stack, b);
      const before = await fingerprint(disk);
      const outcome = await bootcWith(
        { env: { ...HERE, ...await env?.(b) } },
        ...["install", "to-disk", "--bootloader", "none", "--source-imgref", b.image("image"), ...target],
      );
      assertEquals([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
      assertMatch(outcome.stderr, error);
      assertEquals(await fingerprint(disk), before);
    },
  });
}

/** An image that is found wrong when its tree is there. */
const WRONG_IMAGES: readonly [what: string, image: () => OsImage | Promise<OsImage>, cause: string][] = [
  ["no kernel", () => ({ kernel: null }), "Image has no kernel"],
  ["two kernels", () => ({ kernels: ["6.2.0-test"] }), "Found multiple subdirectories in usr/lib/modules"],
  ["no initramfs", () => ({ initramfs: false }), "Image has no initramfs"],
  ["no boot loader", () => ({}), "The image has no boot loader that could be installed"],
  ["a boot loader that fails", () => grubImage({ files: { "usr/lib/grub-fails": "" } }), "no room for the core"],
  [
    "a wrong configuration",
    () => ({ files: { "usr/lib/bootc/install/1.toml": "[install]\nblock = 1\n" } }),
    'Cannot read the install configuration "/usr/lib/bootc/install/1.toml": Key "install.block" is 1, expected a list of',
  ],
];

for (const [what, image, cause] of WRONG_IMAGES) {
  Deno.test({
    name: `install to-disk and to-filesystem name the target as unusable where the image has ${what}`,
    ignore,
    async fn() {
      await using b = await bench();
      const source = ["--quiet", "--source-imgref", b.image("image", await image())];
      const disk = await b.disk("disk.img");
      const whole = await b.install("to-disk", "--via-loopback", ...source, disk);
      assertEquals(whole.code, 1);
      assert(whole.stderr.startsWith(`error: Cannot install on "${disk}", which is unusable now: `), whole.stderr);
      assert(whole.stderr.includes(cause), whole.stderr);
      assert(whole.stderr.includes("run it again with --wipe\n"), whole.stderr);

      const file = await b.disk("root.img", 1024 ** 3);
      const table = new TextEncoder().encode(
        "label: gpt\nsize=1MiB, type=21686148-6449-6E6F-744E-656564454649\nsize=+\n",
      );
      await run(ctx, ["sfdisk", "--quiet", file], { stdin: table });
      using loop = attachLoopDevice(file);
      await run(ctx, ["partx", "--update", "--", loop.path]);
      await run(ctx, ["mkfs.ext4", "-q", "-F", `${loop.path}p2`]);
      await using root = await mounted(`${loop.path}p2`, `${b.path}/root`);
      const mountedOnes = await b.install("to-filesystem", ...source, root.path);
      assertEquals(mountedOnes.code, 1);
      const start = `error: Cannot install on "${root.path}", which is unusable now: `;
      assert(mountedOnes.stderr.startsWith(start), mountedOnes.stderr);
      assert(mountedOnes.stderr.includes(cause), mountedOnes.stderr);
      assert(mountedOnes.stderr.includes("empty it and run this again\n"), mountedOnes.stderr);
    },
  });
}

for (
  const [what, image, words, error] of [
    ["that is not there", {}, ["--source-imgref", "oci:/nonexistent"], /oci:\/nonexistent/],
    ["that is not made for booting", { labels: {} }, [], /Target image does not have ostree\.bootable label/],
    ["for another machine", { architecture: "s390x" }, [], /Image has architecture s390x; expected /],
    ["under a policy that accepts anything", {}, ["--enforce-container-sigpolicy"], /insecureAcceptAnything/],
  ] as const
) {
  Deno.test({
    name: `install to-filesystem refuses an image ${what}, and writes nothing`,
    ignore,
    async fn() {
      await using b = await bench();
      const file = await b.disk("root.img", 1024 ** 3);
      await run(ctx, ["mkfs.ext4", "-q", "-F", file]);
      using loop = attachLoopDevice(file);
      await using root = await mounted(loop.path, `${b.path}/root`);
      const source = words.some((word) => word === "--source-imgref")
        ? []
        : ["--source-imgref", b.image("image", image)];
      const { code, stdout, stderr } = await b.install("to-filesystem", ...source, ...words, root.path);
      assertEquals([code, stdout], [1, ""], stderr);
      assertMatch(stderr, error);
      assertEquals([...Deno.readDirSync(root.path)].map(({ name }) => name), ["lost+found"]);
    },
  });
}
