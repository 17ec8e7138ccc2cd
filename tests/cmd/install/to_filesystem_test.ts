import { assert, assertEquals, assertMatch } from "@std/assert";
import { capture, run } from "../../../lib/sys/run.ts";
import { attached, type Bench, bench, canLoop, ctx, mounted } from "./disk.ts";

const ignore = !canLoop;

/** An ext4 file system in a file, mounted until the end of the block. */
async function fileSystem(b: Bench, name: string, at = `${b.path}/${name}-mounted`) {
  const path = await b.disk(name, 1024 ** 3);
  await run(ctx, ["mkfs.ext4", "-q", "-F", path]);
  await Deno.mkdir(at, { recursive: true });
  await run(ctx, ["mount", "-o", "loop", "--", path, at]);
  return { path: at, [Symbol.asyncDispose]: () => run(ctx, ["umount", "--recursive", "--", at]) };
}

Deno.test({
  name: "install to-filesystem installs into what is mounted, with /boot of its own (I3, I6)",
  ignore,
  async fn() {
    await using b = await bench();
    await using root = await fileSystem(b, "root");
    await using _boot = await fileSystem(b, "boot", `${root.path}/boot`);
    await Deno.writeTextFile(`${b.path}/keys`, "ssh-ed25519 AAAA admin\n");
    // deno-fmt-ignore
    const { code, stdout, stderr } = await b.install(
      "to-filesystem", "--quiet", "--bootloader", "none", "--root-mount-spec", "LABEL=root", "--stateroot", "other",
      "--root-ssh-authorized-keys", `${b.path}/keys`, "--source-imgref", b.image("image"), root.path,
    );
    assertEquals([code, stderr], [0, ""], stdout);
    assert(stdout.endsWith("  Stateroot: other\n  Boot loader: none\n"), stdout);
    const [deployment] = [...Deno.readDirSync(`${root.path}/ostree/deploy/other/deploy`)].filter((each) =>
      each.isDirectory
    );
    const etc = `${root.path}/ostree/deploy/other/deploy/${deployment!.name}/etc`;
    assertMatch(await Deno.readTextFile(`${etc}/fstab`), /^UUID=[0-9a-f-]{36} \/boot auto ro 0 0\n$/);
    assertEquals(
      await Deno.readTextFile(`${etc}/tmpfiles.d/bootc-root-ssh.conf`),
      `f~ /var/roothome/.ssh/authorized_keys 600 root root - ${btoa("ssh-ed25519 AAAA admin\n")}\n`,
    );
    const [entry] = [...Deno.readDirSync(`${root.path}/boot/loader/entries`)];
    const text = await Deno.readTextFile(`${root.path}/boot/loader/entries/${entry!.name}`);
    assertMatch(text, /^options root=LABEL=root rw boot=UUID=[0-9a-f-]{36} ostree=/m);
    // It was left ready to be unmounted.
    assertMatch(await Deno.readTextFile("/proc/self/mountinfo"), new RegExp(` ${root.path} ro,`));
  },
});

Deno.test({
  name: "install finalize makes a file system read-only that --skip-finalize left writable (I10)",
  ignore,
  async fn() {
    await using b = await bench();
    await using root = await fileSystem(b, "root");
    // deno-fmt-ignore
    const { code, stderr } = await b.install(
      "to-filesystem", "--quiet", "--bootloader", "none", "--skip-finalize", "--source-imgref", b.image("image"), root.path,
    );
    assertEquals([code, stderr], [0, ""]);
    await Deno.writeTextFile(`${root.path}/late`, "change\n");
    assertEquals(await b.install("finalize", root.path), { code: 0, stdout: "", stderr: "" });
    assertMatch(await Deno.readTextFile("/proc/self/mountinfo"), new RegExp(` ${root.path} ro,`));
  },
});

Deno.test({
  name: "install to-filesystem does what the image's configuration says, and the command line says otherwise (I5)",
  ignore,
  async fn() {
    await using b = await bench();
    await using root = await fileSystem(b, "root");
    const toml = [
      "[install]",
      'stateroot = "fromimage"',
      'root-mount-spec = "LABEL=image"',
      'kargs = ["a=1", "b=2"]',
      'karg-deletes = ["b"]',
      'bootloader = "none"',
    ].join("\n");
    const image = b.image("image", { files: { "usr/lib/bootc/install/10-image.toml": toml } });
    const said = [
      "to-filesystem",
      "--quiet",
      "--karg",
      "c=3",
      "--karg-delete",
      "a",
      "--source-imgref",
      image,
      root.path,
    ];
    const { code, stdout, stderr } = await b.install(...said);
    assertEquals([code, stderr], [0, ""], stdout);
    assert(stdout.endsWith("  Stateroot: fromimage\n  Boot loader: none\n"), stdout);
    const [entry] = [...Deno.readDirSync(`${root.path}/boot/loader/entries`)];
    const text = await Deno.readTextFile(`${root.path}/boot/loader/entries/${entry!.name}`);
    assertMatch(text, /^options root=LABEL=image rw c=3 ostree=/m);
  },
});

Deno.test({
  name: "install to-filesystem formats no EFI system partition that holds something",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("disk.img", 1024 ** 3);
    const table = "label: gpt\nsize=64MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n" +
      "type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709\n";
    await run(ctx, ["sfdisk", "--quiet", disk], { stdin: new TextEncoder().encode(table) });
    using loop = await attached(disk);
    const esp = `${loop.path}p1`;
    await run(ctx, ["mkfs.vfat", "-n", "OTHER", esp]);
    await run(ctx, ["mmd", "-i", esp, "::/EFI"]);
    await run(ctx, ["mkfs.ext4", "-q", "-F", `${loop.path}p2`]);
    await using root = await mounted(`${loop.path}p2`, `${b.path}/root`);
    const { code, stderr } = await b.install("to-filesystem", "--source-imgref", b.image("image"), root.path);
    assertEquals(code, 1);
    assertMatch(stderr, /^error: The EFI system partition \S+p1 holds a file system already: vfat$/m);
    assertEquals([...Deno.readDirSync(root.path)].map(({ name }) => name), ["lost+found"]);
    assertMatch(await capture(ctx, ["mdir", "-b", "-i", esp, "::/"]), /EFI/);
  },
});

Deno.test({
  name: "install to-filesystem follows no link of the image where it leaves root's keys",
  ignore,
  async fn() {
    await using b = await bench();
    await using root = await fileSystem(b, "root");
    const outside = `${b.path}/outside`;
    await Deno.mkdir(outside);
    await Deno.writeTextFile(`${b.path}/keys`, "ssh-ed25519 AAAA admin\n");
    const image = b.image("image", { links: { "etc/tmpfiles.d": outside } });
    // deno-fmt-ignore
    const { code, stderr } = await b.install(
      "to-filesystem", "--quiet", "--bootloader", "none", "--root-ssh-authorized-keys", `${b.path}/keys`,
      "--source-imgref", image, root.path,
    );
    assertEquals(code, 1, stderr);
    assert(stderr.includes("which is unusable now"), stderr);
    assertEquals([...Deno.readDirSync(outside)], []);
  },
});

interface Refusal {
  readonly name: string;
  readonly spoil?: (root: string) => Promise<unknown>;
  readonly target?: (root: string) => string;
  readonly error: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "a directory that is no mount point",
    target: (root) => root.replace(/\/[^/]+$/, ""),
    error: /^error: Not a mountpoint: "\S+"$/m,
  },
  {
    name: "a directory that is not there",
    target: (root) => `${root}/nowhere`,
    error: /^error: Cannot install into "\S+nowhere": No such file or directory/m,
  },
  {
    name: "a file system with a file",
    spoil: (root) => Deno.writeTextFile(`${root}/file`, ""),
    error: /^error: Non-empty root filesystem; found "file"$/m,
  },
  {
    name: "a file system with a directory in which nothing is mounted",
    spoil: (root) => Deno.mkdir(`${root}/boot/efi`, { recursive: true }),
    error: /^error: Non-empty root filesystem; found "boot\/efi"$/m,
  },
];

for (const { name, spoil, target = (root: string) => root, error } of REFUSALS) {
  Deno.test({
    name: `install to-filesystem refuses ${name}, and writes nothing (I3)`,
    ignore,
    async fn() {
      await using b = await bench();
      await using root = await fileSystem(b, "root");
      await spoil?.(root.path);
      const before = [...Deno.readDirSync(root.path)].map((each) => each.name).sort();
      const { code, stdout, stderr } = await b.install(
        "to-filesystem",
        "--source-imgref",
        b.image("image"),
        target(root.path),
      );
      assertEquals([code, stdout], [1, ""], stderr);
      assertMatch(stderr, error);
      assertEquals([...Deno.readDirSync(root.path)].map((each) => each.name).sort(), before);
    },
  });
}
