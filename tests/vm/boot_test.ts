/** Installed systems in virtual machines: `deno task test:vm`. Takes some minutes; the first time also those to build the images. */
import { assertEquals } from "@std/assert";
import type { Machine } from "../../scripts/vm/machine.ts";
import { mayMount } from "../may_mount.ts";
import { deploymentsOf, parseAdminStatus, type Seen } from "./deployments.ts";
import { startSystem } from "./system.ts";

/** What {@linkcode Machine} is asked about the version that it runs. */
interface Running {
  readonly version: string;
  readonly state: string;
  readonly kernelArguments: string[];
}

async function running(machine: Machine): Promise<Running> {
  const text = await machine.must(`
    cat /usr/lib/vm-version
    systemctl is-system-running --wait || :
    grep -o 'vm.version=[^ ]*' /proc/cmdline`);
  const [version = "", state = "", ...kernelArguments] = text.split("\n");
  return { version, state, kernelArguments };
}

const whole = (version: string): Running => ({ version, state: "running", kernelArguments: [`vm.version=${version}`] });

/** The roles of the deployments, once ostree and bootc agree on all of them. */
async function agreedRoles(machine: Machine): Promise<string[]> {
  const role = (seen: Seen) => seen.slice(0, seen.indexOf(" "));
  const ours = deploymentsOf(await machine.must("bootc status --json"));
  assertEquals(ours, parseAdminStatus(await machine.must("ostree admin status")));
  return ours.map(role);
}

/** Content of the files in /etc that the images and the steps of the test differ in; a file that is missing is left out. */
async function etcFiles(machine: Machine): Promise<Record<string, string>> {
  const text = await machine.must("cd /etc && grep -H . vm-*.conf");
  return Object.fromEntries(text.split("\n").map((line) => line.split(/:(.*)/).slice(0, 2)));
}

/** The machine has this processor only; to make images and to install one takes mounts. */
const ignore = Deno.build.arch !== "x86_64" || !await mayMount();

const UPGRADES = "bootc upgrades and rolls back a system that BIOS boots, with its /etc and /var";

Deno.test({ name: UPGRADES, ignore }, async (t) => {
  await using system = await startSystem("bios");
  const { machine } = system;

  await t.step("the installed image runs, and ostree and bootc see the same", async () => {
    assertEquals(await running(machine), whole("v1"));
    assertEquals(await agreedRoles(machine), ["booted"]);
    assertEquals(await etcFiles(machine), {
      "vm-default.conf": "default v1",
      "vm-edited.conf": "default v1",
      "vm-deleted.conf": "default v1",
      "vm-gone.conf": "only in v1",
    });
    await machine.must(`
      echo edited > /etc/vm-edited.conf
      rm /etc/vm-deleted.conf
      echo mine > /etc/vm-local.conf
      echo one > /var/lib/vm-data`);
  });

  await t.step("upgrade finds nothing new", async () => {
    const { booted } = JSON.parse(await machine.must("bootc status --json")).status;
    const same = `No changes in ${system.followed} => ${booted.image.imageDigest}\nNo update available.`;
    assertEquals(await machine.must("bootc upgrade"), same);
    assertEquals(await agreedRoles(machine), ["booted"]);
  });

  await t.step("upgrade stages v2 from the registry, while v1 runs on", async () => {
    await system.publish("v2");
    await machine.must("bootc upgrade");
    assertEquals(await agreedRoles(machine), ["staged", "booted"]);
    assertEquals(await running(machine), whole("v1"));
  });

  await t.step("the reboot is into v2; /etc is merged, /var is as it was", async () => {
    await machine.reboot();
    assertEquals(await running(machine), whole("v2"));
    assertEquals(await agreedRoles(machine), ["booted", "rollback"]);
    assertEquals(await etcFiles(machine), {
      "vm-default.conf": "default v2",
      "vm-edited.conf": "edited",
      "vm-local.conf": "mine",
      "vm-new.conf": "new in v2",
    });
    assertEquals(await machine.must("cat /var/lib/vm-data"), "one");
    await machine.must("echo two >> /var/lib/vm-data; echo late > /etc/vm-late.conf");
  });

  await t.step("rollback, and the reboot is into v1 with its own /etc, and with what is new in /var", async () => {
    await machine.must("bootc rollback");
    assertEquals(await agreedRoles(machine), ["pending", "booted"]);
    await machine.reboot();
    assertEquals(await running(machine), whole("v1"));
    assertEquals(await agreedRoles(machine), ["booted", "rollback"]);
    assertEquals(await etcFiles(machine), {
      "vm-default.conf": "default v1",
      "vm-edited.conf": "edited",
      "vm-gone.conf": "only in v1",
      "vm-local.conf": "mine",
    });
    assertEquals(await machine.must("cat /var/lib/vm-data"), "one\ntwo");
  });

  await t.step("ostree finds every object whole", async () => {
    await machine.must("ostree fsck --quiet");
    await machine.powerOff();
  });
});

Deno.test({ name: "bootc upgrade survives a power cut on a system that UEFI boots", ignore }, async (t) => {
  await using system = await startSystem("uefi");
  const { machine } = system;

  await t.step("the installed image runs", async () => {
    await machine.must("test -d /sys/firmware/efi");
    assertEquals(await running(machine), whole("v1"));
    assertEquals(await agreedRoles(machine), ["booted"]);
  });

  await t.step("v1 runs again when the power goes in the middle of a pull", async () => {
    await system.publish("v2");
    await machine.launch("bootc upgrade");
    await machine.must("until ls -d /ostree/repo/tmp/staging-*; do sleep 0.1; done", { timeoutMs: 120_000 });
    await machine.cutPower();
    await machine.powerOn();
    assertEquals(await running(machine), whole("v1"));
    assertEquals(await agreedRoles(machine), ["booted"]);
    await machine.must("ostree fsck --quiet");
  });

  await t.step("the upgrade succeeds now", async () => {
    await machine.must("bootc upgrade");
    assertEquals(await agreedRoles(machine), ["staged", "booted"]);
    await machine.powerOff();
    await machine.powerOn();
    assertEquals(await running(machine), whole("v2"));
  });
});
