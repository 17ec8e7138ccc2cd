import { assertEquals, assertStringIncludes } from "@std/assert";
import { walkTar } from "../../codec/tar_sink.ts";
import { writeOsTree } from "../../sysroot.ts";
import { tempDir } from "../../temp.ts";
import { bootc, bootcWith } from "../bootc.ts";

const names = (tar: Uint8Array<ArrayBuffer>) => walkTar(tar).seen.map(({ name }) => name);

Deno.test("A4: bootc container export writes to standard output, and to a file the same", async () => {
  await using tmp = await tempDir();
  const [root, file] = [`${tmp.path}/root`, `${tmp.path}/os.tar`];
  await writeOsTree(root, { files: { "sysroot/ostree/repo/config": "" } });
  const words = ["container", "export", "--format=tar", "--kernel-in-boot", root];
  const piped = await bootc(...words);
  assertEquals([piped.code, piped.stderr], [0, ""]);
  assertEquals(await bootc(...words, "-o", file), { code: 0, stdout: "", stderr: "" });
  const tar = await Deno.readFile(file);
  assertEquals(new TextDecoder().decode(tar), piped.stdout);
  assertEquals(names(tar).filter((name) => /^(?:boot|sysroot)/.test(name)), [
    "boot/",
    "sysroot/",
    "boot/grub2/",
    "boot/vmlinuz-6.1.0-test",
    "boot/initramfs-6.1.0-test.img",
  ]);
});

Deno.test("bootc container export refuses a terminal", async () => {
  const { code, stdout, stderr } = await bootcWith(
    { ctx: { stdoutIsTerminal: true } },
    "container",
    "export",
    "/nowhere",
  );
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, "error: Refusing to write a tar archive to a terminal\n");
});

Deno.test("bootc container export leaves its own archive out, and replaces the old one only when it is whole", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/a`, "");
  await Deno.writeTextFile(`${tmp.path}/os.tar`, "old");
  const ok = await bootc("container", "export", tmp.path, `--output=${tmp.path}/os.tar`);
  assertEquals(ok, { code: 0, stdout: "", stderr: "" });
  const tar = await Deno.readFile(`${tmp.path}/os.tar`);
  assertEquals(names(tar), ["a", "os.tar"]);
  const failed = await bootc("container", "export", tmp.path, `--output=${tmp.path}/os.tar`, "--kernel-in-boot");
  assertEquals(failed.code, 1);
  assertEquals(await Deno.readFile(`${tmp.path}/os.tar`), tar);
  assertEquals([...Deno.readDirSync(tmp.path)].map(({ name }) => name).sort(), ["a", "os.tar"]);
});

Deno.test("bootc container export follows a link to the file, which stays a link", async () => {
  await using tmp = await tempDir();
  await Deno.mkdir(`${tmp.path}/root`);
  await Deno.writeTextFile(`${tmp.path}/real.tar`, "");
  await Deno.symlink("real.tar", `${tmp.path}/link.tar`);
  assertEquals((await bootc("container", "export", `${tmp.path}/root`, "-o", `${tmp.path}/link.tar`)).code, 0);
  assertEquals((await Deno.stat(`${tmp.path}/real.tar`)).size, 1024);
  assertEquals((await Deno.lstat(`${tmp.path}/link.tar`)).isSymlink, true);
});

const FAULTS: [what: string, words: string[], stderr: string][] = [
  [
    "a missing root",
    ["TMP/missing"],
    'error: Cannot open the root file system "TMP/missing": openat: No such file or directory\n',
  ],
  ["an output that is a directory", ["TMP", "-o", "TMP"], 'error: Cannot write "TMP": it is a directory\n'],
  [
    "an output in no directory",
    ["TMP", "-o", "TMP/missing/os.tar"],
    'error: Cannot write "TMP/missing/os.tar": openat: No such file or directory\n',
  ],
  ["a full disk", ["TMP", "-o", "/dev/full"], 'error: Cannot write "/dev/full": write: No space left on device\n'],
];
for (const [what, words, stderr] of FAULTS) {
  Deno.test(`bootc container export fails with ${what}`, async () => {
    await using tmp = await tempDir();
    const outcome = await bootc("container", "export", ...words.map((word) => word.replace("TMP", tmp.path)));
    assertEquals(outcome, { code: 1, stdout: "", stderr: stderr.replaceAll("TMP", tmp.path) });
    assertEquals([...Deno.readDirSync(tmp.path)], []);
  });
}

Deno.test("bootc container export knows no other format", async () => {
  const { code, stderr } = await bootc("container", "export", "--format=zip", "/nowhere");
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'error: Option "--format" takes "tar", not "zip"\n');
});
