import { assertEquals, assertRejects } from "@std/assert";
import { seedLoader, seedSyslinux } from "../../lib/install/boot/seed.ts";
import { freeGrubParent, markGrubParent } from "../../lib/install/boot/grub_parent.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { tempDir } from "../temp.ts";
import { contents, writeFiles } from "../cmd/install/old_host.ts";

const ENTRIES = { "loader/entries/old.conf": "title Old\n", "loader/entries.srel": "type1\n" };

Deno.test("seedLoader() puts a directory with entries behind a link", async () => {
  await using boot = await tempDir();
  await writeFiles(boot.path, { ...ENTRIES, "loader.1/stale": "" });
  await seedLoader(boot.path);
  const made = {
    loader: "loader.1",
    "loader.1/entries.srel": "type1\n",
    "loader.1/entries/old.conf": "title Old\n",
  };
  assertEquals(await contents(boot.path), made);
  await seedLoader(boot.path);
  assertEquals(await contents(boot.path), made);
});

Deno.test("seedLoader() leaves a /boot without entries alone", async () => {
  await using boot = await tempDir();
  await seedLoader(boot.path);
  assertEquals(await contents(boot.path), {});
});

Deno.test("seedLoader() refuses a file by the name of the directory", async () => {
  await using boot = await tempDir();
  await Deno.writeTextFile(`${boot.path}/loader`, "");
  await assertRejects(() => seedLoader(boot.path), UserError, `Cannot install beside "${boot.path}/loader", a file`);
});

Deno.test("seedSyslinux() makes what libostree looks for, also a second time", async () => {
  await using boot = await tempDir();
  await seedSyslinux(boot.path, "TIMEOUT 10\n");
  await seedSyslinux(boot.path, "OTHER\n");
  assertEquals(await contents(boot.path), {
    loader: "loader.0",
    "loader.0/syslinux.cfg": "TIMEOUT 10\n",
    "syslinux/syslinux.cfg": "../loader/syslinux.cfg",
  });
});

Deno.test("seedSyslinux() refuses a system that syslinux boots", async () => {
  await using boot = await tempDir();
  await writeFiles(boot.path, { "syslinux/syslinux.cfg": "DEFAULT old\n" });
  const error = `Cannot install beside a system that syslinux boots: "${boot.path}/syslinux/syslinux.cfg"`;
  await assertRejects(() => seedSyslinux(boot.path, ""), UserError, error);
  assertEquals(await Deno.readTextFile(`${boot.path}/syslinux/syslinux.cfg`), "DEFAULT old\n");
});

Deno.test("freeGrubParent() gives the place that nothing boots from", async () => {
  await using boot = await tempDir();
  assertEquals(await freeGrubParent(boot.path), "");
  await Deno.mkdir(`${boot.path}/grub`);
  assertEquals(await freeGrubParent(boot.path), "/bootc");
  await markGrubParent(boot.path, "/bootc");
  await Deno.remove(`${boot.path}/grub`);
  assertEquals(await freeGrubParent(boot.path), "/bootc");
});
