import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ExportOptions, exportTar } from "../../lib/rootfs/export_tar.ts";
import { type Context, plainContext } from "../../lib/sys/context.ts";
import { Interrupted, UserError } from "../../lib/sys/errors.ts";
import { AT_FDCWD, type Bytes, cstr, linkat, lsetxattr } from "../../lib/sys/libc.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { Random } from "../codec/random.ts";
import { type Seen, walkTar } from "../codec/tar_sink.ts";
import { hasProgram } from "../has_program.ts";
import { concat } from "../image.ts";
import "../libraries.ts";
import { mayMount } from "../may_mount.ts";
import { addToRoot, deepRoot, directory, symlink, text } from "../root_files.ts";
import { type TreeEntry, writeOsTree } from "../sysroot.ts";
import { tempDir } from "../temp.ts";
import { CONTEXTS, tinyPolicy } from "../tiny_policy.ts";
import { makeRandomTree } from "./random_tree.ts";

const ctx = plainContext(Deno.env.toObject());
const PLAIN: ExportOptions = { label: false, kernelInBoot: false, archive: "" };

async function exported(root: string, options: Partial<ExportOptions> = {}, context: Context = ctx): Promise<Bytes> {
  const pieces: Bytes[] = [];
  await exportTar(context, root, (piece) => pieces.push(piece.slice()), { ...PLAIN, ...options });
  return concat(pieces);
}

async function entries(root: string, options: Partial<ExportOptions> = {}): Promise<Seen[]> {
  return walkTar(await exported(root, options)).seen;
}

async function names(root: string, options: Partial<ExportOptions> = {}): Promise<string[]> {
  return (await entries(root, options)).map(({ name }) => name);
}

/** Text is a file, or a directory where the path ends in a slash. */
async function writeFiles(root: string, files: Readonly<Record<string, TreeEntry>>): Promise<void> {
  await Deno.mkdir(root, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    if (path.endsWith("/")) addToRoot(root, { [path.slice(0, -1)]: directory });
    else if (typeof content === "string") addToRoot(root, { [path]: text(content) });
    else if ("link" in content) addToRoot(root, { [path]: symlink(content.link) });
  }
}

/** What GNU tar finds in a tree: a line an entry, and all of each but its times. */
async function judged(directory: string): Promise<{ lines: string; seen: Seen[] }> {
  await run(ctx, ["touch", "-d", "@0", directory]);
  await Deno.chmod(directory, 0o755);
  const archive = `${directory}.tar`;
  // deno-fmt-ignore
  await run(ctx, [
    "tar", "--create", "--sort=name", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--format=posix",
    "--directory", directory, "--file", archive, ".",
  ]);
  const { seen } = walkTar(await Deno.readFile(archive));
  return { lines: await capture(ctx, ["tar", "--xattrs", "--full-time", "-tvvf", archive]), seen };
}

async function bothTrees(
  directory: string,
  seed: number,
  options: { plain?: boolean } = {},
): Promise<[tree: string, copy: string, archive: string]> {
  const [tree, copy, archive] = [`${directory}/tree`, `${directory}/copy`, `${directory}/a.tar`] as const;
  for (const path of [tree, copy]) await Deno.mkdir(path);
  makeRandomTree(new Random(seed), tree, options);
  await run(ctx, ["mkfifo", `${tree}/fifo`]);
  await run(ctx, ["mknod", `${tree}/null`, "c", "1", "3"]);
  await run(ctx, ["find", tree, "-exec", "touch", "--no-dereference", "-d", "@1700000000", "{}", "+"]);
  await Deno.writeFile(archive, await exported(tree));
  return [tree, copy, archive];
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  Deno.test(`exportTar() makes of random tree ${seed} what GNU tar unpacks to the same tree`, async () => {
    await using tmp = await tempDir();
    const [tree, copy, archive] = await bothTrees(tmp.path, seed);
    // deno-fmt-ignore
    await run(ctx, [
      "tar", "--extract", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--preserve-permissions",
      "--directory", copy, "--file", archive,
    ]);
    assertEquals(await judged(copy), await judged(tree));
  });
}

Deno.test({
  name: "exportTar() makes of a random tree what bsdtar unpacks to the same tree",
  ignore: !await hasProgram("bsdtar"),
  fn: async () => {
    await using tmp = await tempDir();
    const [tree, copy, archive] = await bothTrees(tmp.path, 7, { plain: true });
    await run(ctx, ["bsdtar", "-x", "-p", "--numeric-owner", "-C", copy, "-f", archive]);
    assertEquals(await judged(copy), await judged(tree));
  },
});

Deno.test("exportTar() gives the same bytes for a tree that was made in another order", async () => {
  await using tmp = await tempDir();
  const files = Object.entries({ "b/x": "1", "a": "2", "b/\xff": "3", "c/": "", "B": "4" });
  for (const [name, order] of [["one", files], ["two", files.toReversed()]] as const) {
    await writeFiles(`${tmp.path}/${name}`, Object.fromEntries(order));
    await run(ctx, ["find", `${tmp.path}/${name}`, "-exec", "touch", "-d", "@1", "{}", "+"]);
  }
  assertEquals(await exported(`${tmp.path}/one`), await exported(`${tmp.path}/two`));
  assertEquals(await names(`${tmp.path}/one`), ["B", "a", "b/", "b/x", "b/\xff", "c/"]);
});

Deno.test("exportTar() leaves out what only the running system has", async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, {
    "tmp/nested/junk": "",
    "var/tmp/left": "",
    "var/lib/kept": "",
    "sysroot/ostree/repo/config": "",
    "sysroot/other": "",
    "usr/tmp": "",
  });
  const expected = ["sysroot/", "sysroot/other", "usr/", "usr/tmp", "var/", "var/lib/", "var/lib/kept"];
  assertEquals(await names(tmp.path), expected);
});

Deno.test("exportTar() writes the attributes of a file with two names once", async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, { "b/second": "text" });
  linkat(AT_FDCWD, cstr(`${tmp.path}/b/second`), AT_FDCWD, cstr(`${tmp.path}/a`));
  lsetxattr(cstr(`${tmp.path}/a`), cstr("trusted.x"), Uint8Array.of(0, 255));
  const [first, , second] = await entries(tmp.path);
  assertEquals([first!.type, first!.name, first!.body, first!.pax], ["0", "a", "text", {
    "SCHILY.xattr.trusted.x": "\0\xff",
  }]);
  assertEquals([second!.type, second!.name, second!.link, second!.pax], ["1", "b/second", "a", {}]);
});

Deno.test("exportTar() leaves out a socket, and says so", async () => {
  await using tmp = await tempDir();
  using _socket = Deno.listen({ transport: "unix", path: `${tmp.path}/socket` });
  const notes: string[] = [];
  await exported(tmp.path, {}, { ...ctx, note: (line) => notes.push(line) });
  assertEquals(notes, ['Left out "socket": a tar archive cannot hold a socket']);
});

Deno.test("exportTar() writes a time before 1970 as 1970", async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, { old: "" });
  await Deno.utime(`${tmp.path}/old`, -5, -5);
  assertEquals(await names(tmp.path), ["old"]);
});

Deno.test("exportTar() refuses a file that becomes shorter meanwhile", async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, { file: "x".repeat(1 << 20) });
  const truncate = () => Deno.truncateSync(`${tmp.path}/file`, 0);
  const error = await assertRejects(() => exportTar(ctx, tmp.path, truncate, PLAIN), UserError);
  assertEquals(error.message, 'Cannot export "file": it became shorter meanwhile');
});

Deno.test("exportTar() refuses what is no directory", async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, { file: "" });
  for (const path of [`${tmp.path}/file`, `${tmp.path}/missing`]) {
    const error = await assertRejects(() => exported(path), UserError);
    assertEquals(error.message, `Cannot open the root file system "${path}"`);
  }
});

Deno.test("exportTar() takes a tree that is deeper than the call stack", async () => {
  await using tmp = await deepRoot(4000);
  const paths = await names(tmp.path);
  assertEquals([paths.length, paths.at(-1)], [4000, "d/".repeat(4000)]);
});

Deno.test("exportTar() streams a huge sparse file, and stops at a signal", async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, { file: "" });
  await Deno.truncate(`${tmp.path}/file`, 2 ** 40);
  const stop = new AbortController();
  let [bytes, largest] = [0, 0];
  const write = (piece: Bytes) => {
    bytes += piece.length;
    largest = Math.max(largest, piece.length);
    if (bytes > 100e6) stop.abort();
  };
  await assertRejects(() => exportTar({ ...ctx, signal: stop.signal }, tmp.path, write, PLAIN), Interrupted);
  assert(largest <= 256 << 10);
});

Deno.test("exportTar() takes of a mount point only the directory", { ignore: !await mayMount() }, async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, { "dev/": "", "proc/": "", "proc/hidden": "" });
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const script = 'mount -t tmpfs tmpfs "$1/proc"; touch "$1/proc/inside"; shift; exec "$@"';
  const words = [Deno.execPath(), "run", "-A", "--quiet", main, "container", "export", tmp.path];
  const argv = ["unshare", "--mount", "sh", "-euc", script, "sh", tmp.path, ...words] as const;
  const tar = new TextEncoder().encode(await capture(ctx, [...argv]));
  assertEquals(walkTar(tar).seen.map(({ name }) => name), ["dev/", "proc/"]);
});

const SELINUX = "SCHILY.xattr.security.selinux";
const labelsOf = (seen: readonly Seen[]) => Object.fromEntries(seen.map(({ name, pax }) => [name, pax[SELINUX]]));

Deno.test("exportTar() labels by the root's own policy, whatever labels the files have", async () => {
  await using tmp = await tempDir();
  const policy = tinyPolicy({ etc: "etc" });
  await writeFiles(tmp.path, {
    ...policy,
    "etc/shadow": "",
    "usr/bin/sh": "",
    "usr/bin/link": { link: "sh" },
    "run/x": "",
  });
  lsetxattr(cstr(`${tmp.path}/usr/bin/sh`), cstr("trusted.x"), Uint8Array.of(1));
  const seen = await entries(tmp.path, { label: true });
  const labels = labelsOf(seen);
  assertEquals(labels["etc/shadow"], "system_u:object_r:shadow_t:s0");
  assertEquals(labels["usr/"], "system_u:object_r:usr_t:s0");
  assertEquals(labels["usr/bin/link"], "system_u:object_r:bin_t:s0");
  assertEquals(labels["run/x"], undefined);
  const shell = seen.find(({ name }) => name === "usr/bin/sh")!;
  assertEquals(Object.keys(shell.pax), [SELINUX, "SCHILY.xattr.trusted.x"]);
  assertEquals(Object.values(labelsOf(await entries(tmp.path))).filter((label) => label !== undefined), []);
});

const UNLABELLED: [what: string, files: Record<string, TreeEntry>][] = [
  ["no policy", {}],
  ["a disabled policy", tinyPolicy({ mode: "disabled" })],
  ["a file in the policy's place", { "etc/selinux": "" }],
];
for (const [what, files] of UNLABELLED) {
  Deno.test(`exportTar() gives no labels with ${what}`, async () => {
    await using tmp = await tempDir();
    await writeFiles(tmp.path, { ...files, "usr/bin/sh": "" });
    const labels = Object.values(labelsOf(await entries(tmp.path, { label: true })));
    assertEquals(labels.filter((label) => label !== undefined), []);
  });
}

const HOSTILE: [what: string, files: Record<string, TreeEntry>, message: string][] = [
  ["/etc", { etc: { link: "/etc" } }, 'Cannot read the SELinux policy: "etc" is a symlink'],
  [
    "/etc/selinux",
    { "etc/selinux": { link: "/etc/selinux" } },
    'Cannot read the SELinux policy: "etc/selinux" is a symlink',
  ],
  [
    "the contexts",
    {
      "etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=tiny\n",
      "etc/selinux/tiny/contexts": { link: "/somewhere" },
    },
    'Cannot read the SELinux policy: "etc/selinux/tiny/contexts" is a symlink',
  ],
];
for (const [what, files, message] of HOSTILE) {
  Deno.test(`exportTar() does not follow a link at ${what} to a policy elsewhere`, async () => {
    await using tmp = await tempDir();
    await writeFiles(tmp.path, files);
    const error = await assertRejects(() => exported(tmp.path, { label: true }), UserError);
    assertEquals([error.message, error.hint], [message, "Make it a file in the image, or export without labels"]);
  });
}

Deno.test("exportTar() refuses a policy that is broken", async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, { "etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=none\n" });
  const error = await assertRejects(() => exported(tmp.path, { label: true }), UserError);
  assertEquals(error.message, "Cannot read the SELinux policy of the root");
});

const KERNEL = "6.1.0-test";
const inBoot = (seen: readonly Seen[]) =>
  seen.filter(({ name }) => name.startsWith("boot")).map(({ name, body }) => `${name} ${body.trim()}`.trim());

Deno.test("exportTar() puts kernel and initramfs into /boot as well, labelled", async () => {
  await using tmp = await tempDir();
  await writeOsTree(tmp.path, {
    files: tinyPolicy({ contexts: `${CONTEXTS}/boot(/.*)? system_u:object_r:boot_t:s0\n` }),
  });
  const seen = await entries(tmp.path, { kernelInBoot: true, label: true });
  assertEquals(inBoot(seen), [
    "boot/",
    "boot/grub2/",
    `boot/vmlinuz-${KERNEL} kernel ${KERNEL}`,
    `boot/initramfs-${KERNEL}.img initramfs ${KERNEL}`,
  ]);
  assertEquals(
    new Set(Object.values(labelsOf(seen.filter(({ name }) => name.startsWith("boot"))))),
    new Set([
      "system_u:object_r:boot_t:s0",
    ]),
  );
  assert(seen.some(({ name }) => name === `usr/lib/modules/${KERNEL}/vmlinuz`));
});

Deno.test("exportTar() lets the kernel of /usr/lib/modules win over one in /boot", async () => {
  await using tmp = await tempDir();
  await writeOsTree(tmp.path, { files: { [`boot/vmlinuz-${KERNEL}`]: "old", "boot/grub2/grub.cfg": "cfg" } });
  assertEquals(inBoot(await entries(tmp.path, { kernelInBoot: true })), [
    "boot/",
    "boot/grub2/",
    "boot/grub2/grub.cfg cfg",
    `boot/vmlinuz-${KERNEL} kernel ${KERNEL}`,
    `boot/initramfs-${KERNEL}.img initramfs ${KERNEL}`,
  ]);
});

Deno.test("exportTar() leaves a unified kernel image where it is", async () => {
  await using tmp = await tempDir();
  await writeFiles(tmp.path, { "boot/EFI/Linux/os.efi": "uki" });
  const expected = ["boot/", "boot/EFI/", "boot/EFI/Linux/", "boot/EFI/Linux/os.efi uki", "boot/grub2/"];
  assertEquals(inBoot(await entries(tmp.path, { kernelInBoot: true })), expected);
});

const MODULES = "usr/lib/modules";
const NO_KERNEL: [what: string, files: Record<string, TreeEntry>, message: string][] = [
  ["no kernel", { "usr/": "" }, `Image has no kernel: no "vmlinuz" in a directory of "${MODULES}"`],
  [
    "two kernels",
    { [`${MODULES}/1/vmlinuz`]: "", [`${MODULES}/2/vmlinuz`]: "" },
    `Found multiple subdirectories in ${MODULES}`,
  ],
  [
    "no initramfs",
    { [`${MODULES}/1/vmlinuz`]: "" },
    `Image has no initramfs: no "initramfs.img" in "${MODULES}/1"`,
  ],
  [
    "a kernel that is a link",
    { [`${MODULES}/1/vmlinuz`]: { link: "/etc/shadow" }, [`${MODULES}/1/initramfs.img`]: "" },
    `Cannot read "${MODULES}/1/vmlinuz": it is a symlink, no file`,
  ],
  [
    "a /boot that is a link",
    { [`${MODULES}/1/vmlinuz`]: "", [`${MODULES}/1/initramfs.img`]: "", "boot": { link: "usr" } },
    'Cannot add the kernel to /boot: "boot" is a symlink',
  ],
];
for (const [what, files, message] of NO_KERNEL) {
  Deno.test(`exportTar() refuses to add the kernel of a root with ${what}`, async () => {
    await using tmp = await tempDir();
    await writeFiles(tmp.path, files);
    const error = await assertRejects(() => exported(tmp.path, { kernelInBoot: true }), UserError);
    assertEquals(error.message, message);
  });
}
