import { assertEquals, assertRejects } from "@std/assert";
import { editFstab } from "../../lib/host/fstab.ts";
import { needsEdit, withReadOnlyRoot } from "../../lib/host/fstab_text.ts";
import { Descriptor } from "../../lib/sys/descriptor.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { AT_FDCWD, cstr, lsetxattr, O_RDONLY, openat } from "../../lib/sys/libc.ts";
import { readXattrsAt } from "../../lib/sys/libc_xattr.ts";
import { tempDir } from "../temp.ts";

const STAMP = "# Updated by bootc-fstab-edit.service\n";
const BOOT = "UUID=f7436547-20ac-43cb-aa2f-eac9632183f6 /boot auto ro 0 0\n";
const ESP = "UUID=6907-17CA          /boot/efi               vfat    umask=0077,shortname=winnt 0 2\n";
const ROOT = "UUID=1eef9f42-40e3-4bd8-ae20-e9f2325f8b52";

const EDITS: [what: string, before: string, after: string][] = [
  [
    "adds ro to the options of /",
    `${BOOT}${ROOT} /                     xfs   defaults 0 0\n${ESP}`,
    `${BOOT}${STAMP}${ROOT} / xfs defaults,ro 0 0\n${ESP}`,
  ],
  ["takes tabs for blanks", "LABEL=r\t/\text4\trw,x=ro\t0\t1\n", `${STAMP}LABEL=r / ext4 rw,x=ro,ro 0 1\n`],
  ["ends a last line that has no end", "a / ext4 defaults", `${STAMP}a / ext4 defaults,ro\n`],
  ["edits each line of /", "a / x o\nb / y p\n", `${STAMP}a / x o,ro\n${STAMP}b / y p,ro\n`],
  ["leaves a file without / alone", BOOT, BOOT],
  ["leaves all other mount points alone", BOOT + ESP, BOOT + ESP],
  [
    "leaves / alone where it has ro",
    `${BOOT}${ROOT} /   xfs   ro 0 0\n${ESP}`,
    `${BOOT}${ROOT} /   xfs   ro 0 0\n${ESP}`,
  ],
  ["finds ro among others", "a / xfs rw,ro,noatime 0 0\n", "a / xfs rw,ro,noatime 0 0\n"],
  [
    "leaves comments alone",
    "# a / xfs defaults\n  #b / xfs defaults 0 0\n",
    "# a / xfs defaults\n  #b / xfs defaults 0 0\n",
  ],
  ["leaves a line without options alone", "a / xfs\n", "a / xfs\n"],
  ["leaves empty lines and a CR alone", "\n\r\n \n", "\n\r\n \n"],
  ["takes an empty file", "", ""],
];
for (const [what, before, after] of EDITS) {
  Deno.test(`withReadOnlyRoot() ${what}`, () => {
    assertEquals(withReadOnlyRoot(before), after);
    assertEquals(withReadOnlyRoot(after), after);
  });
}

const ANACONDA = "#\n# /etc/fstab\n# Created by anaconda on Tue Mar 19 12:24:29 2024\n#\n";
for (
  const [what, fstab, expected] of [
    ["what Anaconda made", ANACONDA, true],
    ["what Anaconda made and the unit mended", `${ANACONDA}${STAMP}`, false],
    ["what somebody else made", BOOT, false],
    ["nothing", "", false],
  ] as const
) {
  Deno.test(`needsEdit() is ${expected} for ${what}`, () => assertEquals(needsEdit(fstab), expected));
}

async function etc(path: string, fstab?: Uint8Array | string): Promise<string> {
  await Deno.mkdir(`${path}/etc`);
  const file = `${path}/etc/fstab`;
  if (typeof fstab === "string") await Deno.writeTextFile(file, fstab);
  else if (fstab) await Deno.writeFile(file, fstab);
  return file;
}

Deno.test("editFstab() keeps mode, owner and every other byte", { ignore: Deno.uid() !== 0 }, async () => {
  await using tmp = await tempDir();
  const [line, rest] = [new TextEncoder().encode("a / x o\n"), Uint8Array.of(0x23, 0xff, 0xfe, 0x0a)];
  const file = await etc(tmp.path, new Uint8Array([...rest, ...line]));
  await Deno.chmod(file, 0o640);
  await Deno.chown(file, 3, 4);
  const label = new TextEncoder().encode("system_u:object_r:etc_t:s0");
  lsetxattr(cstr(file), cstr("security.selinux"), label);
  assertEquals(await editFstab(tmp.path), true);
  const expected = new TextEncoder().encode(`${STAMP}a / x o,ro\n`);
  assertEquals(await Deno.readFile(file), new Uint8Array([...rest, ...expected]));
  const { mode, uid, gid } = await Deno.stat(file);
  assertEquals([mode! & 0o7777, uid, gid], [0o640, 3, 4]);
  using directory = new Descriptor(openat(AT_FDCWD, cstr(`${tmp.path}/etc`), O_RDONLY));
  assertEquals(readXattrsAt(directory.fd, cstr("fstab")).map(([, value]) => value), [label]);
  assertEquals([...Deno.readDirSync(`${tmp.path}/etc`)].map(({ name }) => name), ["fstab"]);
});

Deno.test("editFstab() does not touch a file that needs nothing", async () => {
  await using tmp = await tempDir();
  const file = await etc(tmp.path, BOOT);
  const before = await Deno.stat(file);
  assertEquals(await editFstab(`${tmp.path}/`), false);
  assertEquals((await Deno.stat(file)).ino, before.ino);
});

Deno.test("editFstab() refuses a link", async () => {
  await using tmp = await tempDir();
  await etc(tmp.path);
  await Deno.writeTextFile(`${tmp.path}/elsewhere`, "a / x o\n");
  await Deno.symlink("../elsewhere", `${tmp.path}/etc/fstab`);
  const error = await assertRejects(() => editFstab(tmp.path), UserError);
  assertEquals(error.message, `Cannot edit "${tmp.path}/etc/fstab": it is a symlink`);
  assertEquals(await Deno.readTextFile(`${tmp.path}/elsewhere`), "a / x o\n");
});

Deno.test("editFstab() says that there is no file", async () => {
  await using tmp = await tempDir();
  await etc(tmp.path);
  const error = await assertRejects(() => editFstab(tmp.path), UserError);
  assertEquals(error.message, `Cannot edit "${tmp.path}/etc/fstab"`);
  assertEquals((error.cause as Error).message, "openat: No such file or directory");
});

Deno.test("editFstab() refuses a file that is no fstab by its size", async () => {
  await using tmp = await tempDir();
  await Deno.truncate(await etc(tmp.path, ""), 2 ** 35);
  const error = await assertRejects(() => editFstab(tmp.path), UserError);
  assertEquals(
    error.message,
    `Cannot edit "${tmp.path}/etc/fstab": it has 34359738368 bytes, more than the 16777216 expected`,
  );
});
