import { assertEquals } from "@std/assert";
import { tempDir } from "../../temp.ts";
import { bootc } from "../bootc.ts";

Deno.test("bootc internals fixup-etc-fstab says what it did, and a second time nothing", async () => {
  await using tmp = await tempDir();
  await Deno.mkdir(`${tmp.path}/etc`);
  await Deno.writeTextFile(`${tmp.path}/etc/fstab`, "UUID=1 / xfs defaults 0 0\n");
  for (const stdout of ["Updated /etc/fstab to add `ro` for `/`\n", ""]) {
    const outcome = await bootc("internals", "fixup-etc-fstab", "--root", tmp.path);
    assertEquals(outcome, { code: 0, stdout, stderr: "" });
  }
});

Deno.test("bootc internals fixup-etc-fstab fails without an fstab", async () => {
  await using tmp = await tempDir();
  const outcome = await bootc("internals", "fixup-etc-fstab", "--root", tmp.path);
  const stderr = `error: Cannot edit "${tmp.path}/etc/fstab": openat: No such file or directory\n`;
  assertEquals(outcome, { code: 1, stdout: "", stderr });
});
