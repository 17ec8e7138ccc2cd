/** The life of an installed system in a virtual machine that BIOS boots. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Machine } from "../../scripts/vm/machine.ts";
import type { System } from "../../scripts/vm/system.ts";
import { agreedRoles, ignore, running, startSystem, step, whole } from "./system.ts";

/** Content of the files in /etc that the images and the steps of the test differ in; a file that is missing is left out. */
async function etcFiles(machine: Machine): Promise<Record<string, string>> {
  const text = await machine.must("cd /etc && grep -H . vm-*.conf");
  return Object.fromEntries(text.split("\n").map((line) => line.split(/:(.*)/).slice(0, 2)));
}

async function statusOf(machine: Machine) {
  return JSON.parse(await machine.must("bootc status --json"));
}

const publish = ({ site }: System, version: string, tag?: string) =>
  site.publish(`oci:${site.images.layout}:${version}`, tag);

Deno.test({ name: "A system that BIOS boots updates itself, and goes back", ignore }, async (t) => {
  await using system = await startSystem("bios");
  const { machine, site: { followed } } = system;

  await step(t, "the installed image runs, and ostree and bootc see the same", async () => {
    assertEquals(await running(machine), whole("v1"));
    assertEquals(await agreedRoles(machine), ["booted"]);
    assertEquals(await etcFiles(machine), {
      "vm-clash.conf": "only a file at first",
      "vm-default.conf": "default v1",
      "vm-edited.conf": "default v1",
      "vm-deleted.conf": "default v1",
      "vm-gone.conf": "only in v1",
    });
    await machine.must(`
      echo edited > /etc/vm-edited.conf
      rm /etc/vm-deleted.conf
      echo mine > /etc/vm-local.conf
      echo one > /var/lib/vm-data
      mkdir /var/lib/vmuser
      chown 900 /var/lib/vmuser`);
  });

  await step(t, "usr-overlay makes /usr writable until the next boot (F4)", async () => {
    assertEquals((await machine.sh("touch /usr/vm-x")).code, 1);
    await machine.must("bootc usr-overlay && touch /usr/vm-x");
    const overlay = { accessMode: "readWrite", persistence: "transient" };
    assertEquals((await statusOf(machine)).status.usrOverlay, overlay);
  });

  await step(t, "upgrade finds nothing new (U2), switch to the same changes nothing (U13)", async () => {
    const { booted } = (await statusOf(machine)).status;
    const same = `No changes in ${followed} => ${booted.image.imageDigest}\nNo update available.`;
    const before = await machine.must("stat -c %Y /ostree/bootc 2>&1 || :");
    assertEquals(await machine.must("bootc upgrade"), same);
    assertEquals(await machine.must(`bootc switch ${followed}`), "Image specification is unchanged.");
    assertEquals(await machine.must("stat -c %Y /ostree/bootc 2>&1 || :"), before);
    assertEquals(await agreedRoles(machine), ["booted"]);
  });

  await step(t, "a policy that accepts anything is no signature policy (U15)", async () => {
    const { code, stderr } = await machine.sh(`bootc switch --enforce-container-sigpolicy ${followed}`);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "specifies a default of `insecureAcceptAnything`; refusing usage");
  });

  await step(t, "upgrade --check keeps what it found (U3)", async () => {
    await publish(system, "v2");
    assertStringIncludes(await machine.must("bootc upgrade --check"), `Update available for: docker://${followed}`);
    const { booted, staged } = (await statusOf(machine)).status;
    assertEquals([booted.cachedUpdate.version, staged], ["v2", null]);
  });

  await step(t, "upgrade --download-only is not used by a reboot, and status says so (U5)", async () => {
    const { stdout, stderr } = await machine.sh("bootc upgrade --quiet --download-only");
    assertStringIncludes(stdout, "Image downloaded, but will not be applied on reboot");
    assertStringIncludes(
      stderr,
      'warning: The update changes the uid of user "vmuser" from 900 to 901, and 1 file in /var keeps 900',
    );
    // Layers that are here already do not come again.
    const received = Number((await machine.must("cat /sys/class/net/e*/statistics/rx_bytes")).trim());
    assertEquals(received < 40e6, true, `${received} bytes were received`);
    assertEquals((await statusOf(machine)).status.staged.downloadOnly, true);
    await machine.reboot();
    assertEquals(await running(machine), whole("v1"));
    assertEquals(await agreedRoles(machine), ["booted"]);
    assertEquals((await machine.sh("test -e /usr/vm-x")).code, 1);
    const { stderr: why } = await machine.sh("bootc status");
    assertStringIncludes(why, "it came by --download-only, and a reboot does not apply that");
  });

  await step(
    t,
    "upgrade --from-downloaded lets the reboot use it (U6); a second one stages nothing new (U8)",
    async () => {
      const none = await machine.sh("bootc upgrade --from-downloaded");
      assertEquals([none.code, none.stderr.split("\n")[0]], [1, "error: No staged deployment found"]);
      await machine.must("bootc upgrade --quiet --download-only");
      assertEquals(
        await machine.must("bootc upgrade --from-downloaded"),
        "Staged deployment will now be applied on reboot",
      );
      assertStringIncludes(await machine.must("bootc upgrade"), "Staged update present, not changed");
      assertEquals(await agreedRoles(machine), ["staged", "booted"]);
      assertEquals(await running(machine), whole("v1"));
    },
  );

  await step(t, "the rest of the system hears of it (U18)", async () => {
    const { staged } = (await statusOf(machine)).status;
    const text = `bootc: Reboot required for image: ${staged.image.imageDigest}`;
    assertEquals(await machine.must("cat /run/reboot-required"), text);
    await machine.must("journalctl --boot --quiet --unit=bootc-status-updated.target | grep Reached");
  });

  await step(
    t,
    "the reboot is into v2; /etc is merged, /var is as it was, other images' pruning harms nothing",
    async () => {
      await machine.reboot();
      assertEquals(await running(machine), whole("v2"));
      assertEquals(await agreedRoles(machine), ["booted", "rollback"]);
      assertEquals(await etcFiles(machine), {
        "vm-clash.conf": "only a file at first",
        "vm-default.conf": "default v2",
        "vm-edited.conf": "edited",
        "vm-local.conf": "mine",
        "vm-new.conf": "new in v2",
      });
      assertEquals(await machine.must("cat /var/lib/vm-data"), "one");
      await machine.must("podman image prune --all --force && ostree fsck --quiet"); // U25
      await machine.must("echo two >> /var/lib/vm-data; echo late > /etc/vm-late.conf");
    },
  );

  await step(
    t,
    "rollback and back (U16), and the reboot is into v1 with its own /etc, and with what is new in /var",
    async () => {
      assertEquals(await machine.must("bootc rollback"), "Next boot: rollback deployment");
      assertEquals(await agreedRoles(machine), ["pending", "booted"]);
      assertStringIncludes(await machine.must("bootc rollback"), "Next boot: current deployment");
      assertEquals(await agreedRoles(machine), ["booted", "rollback"]);
      await machine.must("bootc rollback");
      await machine.reboot();
      assertEquals(await running(machine), whole("v1"));
      assertEquals(await agreedRoles(machine), ["booted", "rollback"]);
      assertEquals(await etcFiles(machine), {
        "vm-clash.conf": "only a file at first",
        "vm-default.conf": "default v1",
        "vm-edited.conf": "edited",
        "vm-gone.conf": "only in v1",
        "vm-local.conf": "mine",
      });
      assertEquals(await machine.must("cat /var/lib/vm-data"), "one\ntwo");
    },
  );

  await step(t, "switch stages another image with another initramfs; both entries boot (U12, K1)", async () => {
    await publish(system, "v2", "other");
    const other = followed.replace(/:stable$/, ":other");
    await machine.must(`bootc switch --quiet ${other}`);
    assertEquals((await statusOf(machine)).spec.image.image, other);
    const identity = await machine.must("cat /etc/machine-id /etc/vm-edited.conf /var/lib/vm-data");
    await machine.reboot();
    assertEquals(await running(machine), whole("v2"));
    assertEquals(await machine.must("cat /etc/machine-id /etc/vm-edited.conf /var/lib/vm-data"), identity);
    const kernels = await machine.must("grep -h ^linux /boot/loader/entries/ostree-*.conf | sort -u | wc -l");
    assertEquals(kernels, "2");
  });

  await step(t, "upgrade --tag follows another tag (U7), and the timer's service applies it (U4)", async () => {
    await publish(system, "v1", "next");
    const next = followed.replace(/:stable$/, ":next");
    await machine.must("bootc upgrade --quiet --tag next");
    assertEquals((await statusOf(machine)).spec.image.image, next);
    await machine.reboot();
    assertEquals(await running(machine), whole("v1"));
    await publish(system, "v2", "next");
    await machine.rebootedBy("systemctl start --no-block bootc-fetch-apply-updates.service");
    assertEquals(await running(machine), whole("v2"));
    assertEquals(await agreedRoles(machine), ["booted", "rollback"]);
  });

  await step(t, "ostree finds every object whole", async () => {
    await machine.must("ostree fsck --quiet");
    await machine.powerOff();
  });
});
