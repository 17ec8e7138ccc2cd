import { assertEquals, assertRejects } from "@std/assert";
import { splitKernel } from "../../lib/rootfs/split_kernel.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { type TreeEntry, writeOsTree } from "../sysroot.ts";
import { tempDir } from "../temp.ts";

const VERSION = "6.1.0-test";
const MODULES = `usr/lib/modules/${VERSION}`;

function names(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("splitKernel() moves both files without a copy where it can", async () => {
  await using tmp = await tempDir();
  const [root, output] = [`${tmp.path}/root`, `${tmp.path}/new/out`];
  await writeOsTree(root, { files: { [`${MODULES}/modules.dep`]: "" } });
  const before = (await Deno.stat(`${root}/${MODULES}/vmlinuz`)).ino;
  assertEquals(await splitKernel(root, output), { version: VERSION, directory: `${output}/${VERSION}` });
  assertEquals(names(output), [VERSION]);
  assertEquals(names(`${output}/${VERSION}`), ["initramfs.img", "vmlinuz"]);
  assertEquals(names(`${root}/${MODULES}`), ["modules.dep"]);
  assertEquals((await Deno.stat(`${output}/${VERSION}/vmlinuz`)).ino, before);
});

Deno.test("splitKernel() copies to another file system, with mode, owner and time", async () => {
  await using tmp = await tempDir();
  await using other = await tempDir("/dev/shm");
  await writeOsTree(tmp.path);
  const vmlinuz = `${tmp.path}/${MODULES}/vmlinuz`;
  await Deno.chmod(vmlinuz, 0o750);
  await Deno.chown(vmlinuz, 7, 8);
  await Deno.utime(vmlinuz, 86400, 86400);
  await splitKernel(tmp.path, `${other.path}/`);
  const moved = await Deno.stat(`${other.path}/${VERSION}/vmlinuz`);
  assertEquals([moved.mode! & 0o7777, moved.uid, moved.gid, moved.mtime], [0o750, 7, 8, new Date(86400000)]);
  assertEquals(await Deno.readTextFile(`${other.path}/${VERSION}/vmlinuz`), `kernel ${VERSION}\n`);
  assertEquals(await Deno.readTextFile(`${other.path}/${VERSION}/initramfs.img`), `initramfs ${VERSION}\n`);
  assertEquals(names(`${tmp.path}/${MODULES}`), []);
});

const LIB = "usr/lib/modules";
const REFUSED: [what: string, files: Record<string, TreeEntry>, message: string][] = [
  ["two kernels", { [`${LIB}/7.0/vmlinuz`]: "" }, `Found multiple subdirectories in ${LIB}`],
  [
    "a unified kernel image",
    { "boot/EFI/Linux/os.efi": "" },
    'Cannot split "ROOT": UKIs are not supported, and "os" is one',
  ],
];
for (const [what, files, message] of REFUSED) {
  Deno.test(`splitKernel() refuses a root with ${what}, and touches nothing`, async () => {
    await using tmp = await tempDir();
    const root = `${tmp.path}/root`;
    await writeOsTree(root, { files });
    const error = await assertRejects(() => splitKernel(root, `${tmp.path}/out`), UserError);
    assertEquals(error.message, message.replace("ROOT", root));
    assertEquals(names(tmp.path), ["root"]);
    assertEquals(names(`${root}/${MODULES}`), ["initramfs.img", "vmlinuz"]);
  });
}

/** Makes one of the two files something else. */
async function change(root: string, name: string, how: "missing" | "link" | "directory"): Promise<void> {
  const path = `${root}/${MODULES}/${name}`;
  await Deno.remove(path);
  if (how === "link") await Deno.symlink("/etc/hostname", path);
  if (how === "directory") await Deno.mkdir(path);
}

const CHANGED: [name: string, how: "missing" | "link" | "directory", message: string][] = [
  ["vmlinuz", "missing", `Image has no kernel: no "vmlinuz" in a directory of "${LIB}"`],
  ["vmlinuz", "link", `Cannot read "${MODULES}/vmlinuz": it is a symlink, no file`],
  ["initramfs.img", "missing", `Image has no initramfs: no "initramfs.img" in "${MODULES}"`],
  ["initramfs.img", "link", `Cannot read "${MODULES}/initramfs.img": it is a symlink, no file`],
  ["initramfs.img", "directory", `Image has no initramfs: no "initramfs.img" in "${MODULES}"`],
];
for (const [name, how, message] of CHANGED) {
  Deno.test(`splitKernel() refuses a root whose ${name} is ${how}, and leaves nothing behind`, async () => {
    await using tmp = await tempDir();
    const root = `${tmp.path}/root`;
    await writeOsTree(root);
    await change(root, name, how);
    await Deno.mkdir(`${tmp.path}/out`);
    const error = await assertRejects(() => splitKernel(root, `${tmp.path}/out`), UserError);
    assertEquals(error.message, message);
    assertEquals(names(`${tmp.path}/out`), []);
    assertEquals(names(`${root}/${MODULES}`).includes(name), how !== "missing");
  });
}

Deno.test("splitKernel() refuses an output that is not empty", async () => {
  await using tmp = await tempDir();
  const [root, other, output] = [`${tmp.path}/root`, `${tmp.path}/other`, `${tmp.path}/out`];
  for (const path of [root, other]) await writeOsTree(path);
  await splitKernel(root, output);
  const error = await assertRejects(() => splitKernel(other, output), UserError);
  assertEquals(error.message, `Directory "${output}" is not empty`);
  assertEquals(names(`${other}/${MODULES}`), ["initramfs.img", "vmlinuz"]);
});

Deno.test("splitKernel() refuses an output that is a file", async () => {
  await using tmp = await tempDir();
  const root = `${tmp.path}/root`;
  await writeOsTree(root, { files: { file: "" } });
  const error = await assertRejects(() => splitKernel(root, `${root}/file`), UserError);
  assertEquals(error.message, `Cannot make the directory "${root}/file"`);
});
