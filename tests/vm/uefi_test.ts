/** A system in a virtual machine that UEFI boots, from the same kind of disk. */
import { assertEquals } from "@std/assert";
import { agreedRoles, ignore, running, startSystem, step, whole } from "./system.ts";

Deno.test(
  { name: "A system that UEFI boots survives a power cut in a pull, and then updates itself", ignore },
  async (t) => {
    await using system = await startSystem("uefi");
    const { machine, site } = system;

    await step(t, "the installed image runs", async () => {
      await machine.must("test -d /sys/firmware/efi");
      assertEquals(await running(machine), whole("v1"));
      assertEquals(await agreedRoles(machine), ["booted"]);
    });

    await step(t, "v1 runs again when the power goes in the middle of a pull", async () => {
      await site.publish(`oci:${site.images.layout}:v2`);
      await machine.launch("bootc upgrade");
      await machine.must("until ls -d /ostree/repo/tmp/staging-*; do sleep 0.1; done", { timeoutMs: 120_000 });
      await machine.cutPower();
      await machine.powerOn();
      assertEquals(await running(machine), whole("v1"));
      assertEquals(await agreedRoles(machine), ["booted"]);
      await machine.must("ostree fsck --quiet");
    });

    await step(t, "the upgrade succeeds now", async () => {
      await machine.must("bootc upgrade");
      assertEquals(await agreedRoles(machine), ["staged", "booted"]);
      await machine.powerOff();
      await machine.powerOn();
      assertEquals(await running(machine), whole("v2"));
    });
  },
);
