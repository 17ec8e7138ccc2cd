import { assert, assertEquals, assertMatch } from "@std/assert";
import { run } from "../../../lib/sys/run.ts";
import { bootc } from "../bootc.ts";
import { attached, bench, canLoop, ctx, mounted } from "./disk.ts";
import { grubImage } from "./grub_image.ts";
import { contents, oldHost, writeFiles } from "./old_host.ts";

const ignore = !canLoop;

/** What is below /boot of a new system, without the names that checksums give. */
async function bootNames(root: string): Promise<string[]> {
  const names = Object.keys(await contents(`${root}/boot`, ["efi"]));
  return names.map((name) => name.replace(/[0-9a-f]{64}/, "CSUM").replace(/ostree-1[^/]*\.conf$/, "ostree-1.conf"));
}

Deno.test({
  name: "install to-existing-root puts the image beside the old system, and removes what booted that last (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const before = await contents(host.root, ["boot"]);
    const image = b.image("image", await grubImage());
    const { code, stdout, stderr } = await b.install(
      "to-existing-root",
      "--quiet",
      "--source-imgref",
      image,
      host.root,
    );
    assertEquals([code, stderr], [0, ""], stdout);
    assert(stdout.endsWith("  Stateroot: default\n  Boot loader: grub-syslinux\n"), stdout);
    assertEquals(await contents(host.root, ["boot", "ostree", ".bootc-aleph.json"]), before);
    assertEquals(await bootNames(host.root), [
      "bootc/grub/core.img",
      "bootc/grub/grub.cfg",
      "loader",
      "loader.1/entries/ostree-1.conf",
      "loader.1/syslinux.cfg",
      "ostree/default-CSUM/initramfs-6.1.0-test.img",
      "ostree/default-CSUM/vmlinuz-6.1.0-test",
      "syslinux/syslinux.cfg",
    ]);
    const { "EFI/BOOT/BOOTX64.EFI": loader, ...others } = await contents(host.esp);
    assertMatch(
      loader!,
      /^search --no-floppy --fs-uuid --set=root [0-9a-f-]{36}\nset prefix=\(\$root\)\/boot\/bootc\/grub\n/,
    );
    assertEquals(others, { "EFI/Microsoft/Boot/bootmgfw.efi": "windows\n" });
    const asked = await Deno.readTextFile(`${host.root}/ostree/grub-install.log`);
    assertMatch(asked, new RegExp(`^--target=i386-pc --boot-directory=/sysroot/boot/bootc .* ${host.device}\n$`));
  },
});

Deno.test({
  name: "install to-existing-root --cleanup leaves word, and the clean-up removes the old system alone, once (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const image = b.image("image", await grubImage());
    const words = ["to-existing-root", "--quiet", "--cleanup", "--source-imgref", image, host.root];
    assertEquals((await b.install(...words)).code, 0);
    assertEquals(await Deno.readTextFile(`${host.root}/etc/bootc-destructive-cleanup`), "");
    // What old systems leave: links that lead out, and other file systems.
    await Deno.writeTextFile(`${b.path}/outside`, "mine\n");
    await Deno.symlink(b.path, `${host.root}/home/link`);
    await Deno.mkdir(`${host.root}/home/mounted`);
    await run(ctx, ["mount", "--bind", `${host.root}/ostree`, `${host.root}/home/mounted`]);
    const kept = await contents(host.root, ["etc", "home", "usr", "var"]);
    const cleanUp = () => bootc("internals", "destructive-cleanup", "--sysroot", host.root);
    assertEquals(await cleanUp(), { code: 0, stdout: `Removed the old system from ${host.root}\n`, stderr: "" });
    assertEquals(await Array.fromAsync(Deno.readDir(`${host.root}/home`), ({ name }) => name), ["mounted"]);
    await run(ctx, ["umount", `${host.root}/home/mounted`]);
    assertEquals(await contents(host.root), kept);
    assertEquals(await Deno.readTextFile(`${b.path}/outside`), "mine\n");
    assertEquals(await cleanUp(), { code: 0, stdout: "There is nothing to remove.\n", stderr: "" });
    await run(ctx, ["ostree", "fsck", "--quiet", `--repo=${host.root}/ostree/repo`]);
  },
});

Deno.test({
  name: "destructive-cleanup keeps its word until all is gone",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const image = b.image("image", await grubImage());
    await b.install("to-existing-root", "--quiet", "--cleanup", "--source-imgref", image, host.root);
    await run(ctx, ["chattr", "+i", `${host.root}/home/me/letter`]);
    const words = ["internals", "destructive-cleanup", "--sysroot", host.root];
    const { code, stderr } = await bootc(...words);
    await run(ctx, ["chattr", "-i", `${host.root}/home/me/letter`]);
    assertEquals(code, 1);
    assertEquals(
      stderr,
      `error: Cannot remove home/me/letter: unlinkat: Operation not permitted, below "${host.root}"\n` +
        `hint: Remove it by hand, or give it up: rm ${host.root}/etc/bootc-destructive-cleanup\n`,
    );
    assertEquals(Object.keys(await contents(host.root, ["boot", "ostree"])), [
      ".bootc-aleph.json",
      "etc/bootc-destructive-cleanup",
      "home/me/letter",
    ]);
    assertEquals((await bootc(...words)).code, 0);
  },
});

Deno.test({
  name: "destructive-cleanup refuses a directory without ostree's system",
  ignore,
  async fn() {
    await using b = await bench();
    await Deno.mkdir(`${b.path}/etc`);
    await Deno.writeTextFile(`${b.path}/etc/bootc-destructive-cleanup`, "");
    const { code, stderr } = await bootc("internals", "destructive-cleanup", "--sysroot", b.path);
    assertEquals(code, 1);
    assertEquals(stderr, `error: Cannot remove an old system from "${b.path}": there is no ostree system in it\n`);
  },
});

const SPOILT = [
  {
    name: "an image without a kernel",
    image: { kernel: null },
    error: /which boots as before: Cannot boot "\S+": Image has no kernel/,
  },
  { name: "an image without a boot loader", grub: false, error: /which boots as before: The image has no boot loader/ },
  {
    name: "an argument that GRUB would interpret",
    words: ["--karg", "a=$b"],
    error: /which boots as before: Kernel argument "a=\$b" holds "\$", which GRUB would interpret/,
  },
];
for (const { name, image = {}, grub = true, words = [], error } of SPOILT) {
  Deno.test({
    name: `install to-existing-root leaves the old system bootable with ${name} (I4)`,
    ignore,
    async fn() {
      await using b = await bench();
      await using host = await oldHost(b);
      const before = await contents(host.root);
      const source = b.image("image", grub ? await grubImage(image) : image);
      const { code, stderr } = await b.install(
        "to-existing-root",
        "--quiet",
        "--cleanup",
        ...words,
        "--source-imgref",
        source,
        host.root,
      );
      assertEquals(code, 1);
      assertMatch(stderr, error);
      assertEquals(await contents(host.root, ["ostree"]), before);
    },
  });
}

Deno.test({
  name: "install to-existing-root succeeds where an attempt failed at the boot loader (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const before = await contents(host.root);
    const failing = b.image("failing", await grubImage({ files: { "usr/lib/grub-fails": "" } }));
    const first = await b.install("to-existing-root", "--quiet", "--source-imgref", failing, host.root);
    assertEquals(first.code, 1);
    assertMatch(first.stderr, /^error: Cannot finish the installation on "/);
    assert(first.stderr.includes("no room for the core"), first.stderr);
    assert(
      first.stderr.includes("hint: Run this again before it is rebooted: neither system may boot now\n"),
      first.stderr,
    );
    const after = await contents(host.root);
    assertEquals(Object.entries(before).filter(([path, content]) => after[path] !== content), []);
    const image = b.image("image", await grubImage());
    const second = await b.install("to-existing-root", "--quiet", "--source-imgref", image, host.root);
    assertEquals([second.code, second.stderr], [0, ""]);
    const names = await bootNames(host.root);
    assertEquals(names.filter((name) => /grub|vmlinuz-old/.test(name)), ["bootc/grub/core.img", "bootc/grub/grub.cfg"]);
  },
});

Deno.test({
  name: "install to-existing-root exchanges the boot entries of an old system for its own (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    await run(ctx, ["mkdir", "-p", `${host.root}/boot/loader/entries`]);
    await Deno.writeTextFile(`${host.root}/boot/loader/entries/old.conf`, "title Old\n");
    const image = b.image("image");
    const words = ["to-existing-root", "--quiet", "--bootloader", "none", "--source-imgref", image, host.root];
    const { code, stderr } = await b.install(...words);
    assertEquals([code, stderr], [0, ""]);
    const names = await bootNames(host.root);
    assertEquals(names.filter((name) => name.includes("loader")), [
      "loader",
      "loader.0/entries/ostree-1.conf",
      "loader.1/entries/old.conf",
    ]);
    assertEquals(await Deno.readLink(`${host.root}/boot/loader`), "loader.0");
    // Without a loader of ours, the old one reads them, and stays.
    assert(names.includes("grub/grub.cfg"), names.join());
    assertEquals(await Deno.readTextFile(`${host.esp}/EFI/old/grubx64.efi`), "old\n");
  },
});

Deno.test({
  name: "install to-filesystem --replace wipe removes the old system once the new one is installed (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    const image = b.image("image", await grubImage());
    const { code, stderr } = await b.install(
      "to-filesystem",
      "--quiet",
      "--replace",
      "wipe",
      "--source-imgref",
      image,
      host.root,
    );
    assertEquals([code, stderr], [0, ""]);
    const names = await Array.fromAsync(Deno.readDir(host.root), ({ name }) => name);
    assertEquals(names.sort(), [".bootc-aleph.json", "boot", "lost+found", "ostree"]);
    assertMatch(await Deno.readTextFile("/proc/self/mountinfo"), new RegExp(` ${host.root} ro,`));
  },
});

Deno.test({
  name: "install to-filesystem writes the loader for UEFI through a mounted EFI system partition (I3)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b, { blank: true });
    const image = b.image("image", await grubImage());
    const { code, stdout, stderr } = await b.install("to-filesystem", "--quiet", "--source-imgref", image, host.root);
    assertEquals([code, stderr], [0, ""], stdout);
    const files = await contents(host.esp);
    assertEquals(Object.keys(files), ["EFI/BOOT/BOOTX64.EFI"]);
    assertMatch(
      files["EFI/BOOT/BOOTX64.EFI"]!,
      /^search --no-floppy --fs-uuid --set=root [0-9a-f-]{36}\nset prefix=\(\$root\)\/boot\/grub\nconfigfile \$prefix\/grub\.cfg\n$/,
    );
    const config = await Deno.readTextFile(`${host.root}/boot/grub/grub.cfg`);
    assert(config.endsWith("insmod syslinuxcfg\nsyslinux_configfile -s /boot/loader/syslinux.cfg\n"), config);
  },
});

interface Refusal {
  readonly name: string;
  readonly words: readonly string[];
  readonly spoil: (root: string) => Promise<unknown>;
  readonly error: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "a system that runs from ostree",
    words: ["to-existing-root"],
    spoil: (root) => run(ctx, ["mkdir", "-p", `${root}/sysroot/ostree/repo`]),
    error: /^error: Cannot install over "\S+", a system that runs from ostree already\nhint: Use `bootc switch` there/,
  },
  {
    name: "to wipe deployments of ostree",
    words: ["to-filesystem", "--replace", "wipe"],
    spoil: (root) => run(ctx, ["mkdir", "-p", `${root}/ostree/deploy/default/deploy/x.0`]),
    error:
      /^error: Cannot wipe "\S+": it holds deployments of ostree\nhint: Make the file system anew; nothing was changed\n$/,
  },
  {
    name: "a directory of a file system",
    words: ["to-existing-root"],
    spoil: async (root) => {
      await run(ctx, ["mkdir", "-p", `${root}/../part`]);
      await run(ctx, ["mount", "--bind", `${root}/home`, `${root}/../part`]);
    },
    error: /^error: Cannot install into "\S+part": it is the directory "\/home" of a file system\n/,
  },
  {
    name: "what is not mounted",
    words: ["to-existing-root"],
    spoil: (root) => Deno.mkdir(`${root}/../part`),
    error: /^error: Not a mountpoint: "\S+part"\n/,
  },
];

for (const { name, words, spoil, error } of REFUSALS) {
  Deno.test({
    name: `install refuses ${name}, and changes nothing (I4)`,
    ignore,
    async fn() {
      await using b = await bench();
      await using host = await oldHost(b);
      await spoil(host.root);
      const part = `${b.path}/part`;
      const target = await Deno.stat(part).then(() => part, () => host.root);
      const before = await contents(host.root);
      const image = b.image("image", await grubImage());
      const { code, stdout, stderr } = await b.install(...words, "--source-imgref", image, target);
      assertEquals(await contents(host.root), before);
      if (error.source.includes("directory")) await run(ctx, ["umount", part]);
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, error);
    },
  });
}

Deno.test({
  name: "install to-existing-root puts the loader for BIOS before the first partition of a DOS table (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    const disk = await b.disk("dos.img", 1536 * 1024 ** 2);
    await run(ctx, ["sfdisk", "--quiet", disk], { stdin: new TextEncoder().encode("label: dos\ntype=83, bootable\n") });
    using loop = await attached(disk);
    await run(ctx, ["mkfs.ext4", "-q", "-F", `${loop.path}p1`]);
    await using root = await mounted(`${loop.path}p1`, `${b.path}/root`);
    await writeFiles(root.path, { "etc/os-release": "ID=old\n", "boot/vmlinuz": "old\n" });
    const image = b.image("image", await grubImage());
    const { code, stderr } = await b.install("to-existing-root", "--quiet", "--source-imgref", image, root.path);
    assertEquals([code, stderr], [0, ""]);
    const asked = await Deno.readTextFile(`${root.path}/ostree/grub-install.log`);
    assertMatch(asked, new RegExp(`^--target=i386-pc --boot-directory=/sysroot/boot .* ${loop.path}\n$`));
    assertEquals((await bootNames(root.path)).filter((name) => name.startsWith("vmlinuz")), []);
  },
});
