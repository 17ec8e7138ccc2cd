import { assertEquals, assertStringIncludes } from "@std/assert";
import { writeOsTree } from "../../sysroot.ts";
import { tempDir } from "../../temp.ts";
import { bootc } from "../bootc.ts";

Deno.test("bootc container split-kernel-and-rootfs moves the kernel once", async () => {
  await using tmp = await tempDir();
  const [root, output] = [`${tmp.path}/root`, `${tmp.path}/out`];
  await writeOsTree(root);
  const words = ["container", "split-kernel-and-rootfs", "--rootfs", root, "--output"];
  const stderr = `Moved kernel 6.1.0-test to ${output}/6.1.0-test\n`;
  assertEquals(await bootc(...words, output), { code: 0, stdout: "", stderr });
  assertEquals(await Deno.readTextFile(`${output}/6.1.0-test/vmlinuz`), "kernel 6.1.0-test\n");
  assertEquals(await bootc(...words, `${tmp.path}/again`), {
    code: 1,
    stdout: "",
    stderr: 'error: Image has no kernel: no "vmlinuz" in a directory of "usr/lib/modules"\n' +
      "hint: Build the image from a bootable base image\n",
  });
});

Deno.test("bootc container split-kernel-and-rootfs needs an output", async () => {
  const { code, stderr } = await bootc("container", "split-kernel-and-rootfs", "--rootfs=/nowhere");
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'error: Option "--output <DIR>" is required\n');
});
