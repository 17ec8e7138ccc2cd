/** What a running host does, in the chroot that looks booted: only the reboot itself is not a machine's. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { emptyFilesCpio } from "../codec/cpio_archive.ts";
import { mayMount } from "../may_mount.ts";
import { FOLLOWED, IMAGES, TestHost } from "./test_host.ts";

const ignore = !await mayMount();
const test = (name: string, fn: () => Promise<void>) => Deno.test(name, { ignore }, fn);

const digestOf = (entry: { image: { imageDigest: string } | null } | null) => entry?.image?.imageDigest ?? null;

test("bootc switch stages an image on a running host; /etc and /var stay over the reboot (U12, F1)", async () => {
  await using host = await TestHost.boot();
  const image = host.image({
    version: "1",
    files: { "etc/new-default": "image\n", "etc/hostname-of-image": "from the image\n" },
  });
  await host.system.write("/etc/mine", "kept\n");
  await host.system.write("/etc/hostname-of-image", "changed here\n");
  await host.system.write("/var/mine", "kept\n");
  const { code, stdout, stderr } = await host.bootc("switch", "--transport", "oci", `${IMAGES}/os`);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, `Queued for next boot: ${FOLLOWED}\n  Version: 1\n  Digest: ${image.digest}\n`);
  assertEquals((await host.system.run(["test", "-e", "/run/ostree/staged-deployment"])).code, 0);
  assertEquals(await host.system.read("/run/reboot-required"), `bootc: Reboot required for image: ${image.digest}`);
  const staged = await host.status();
  assertEquals([digestOf(staged.status.staged), digestOf(staged.status.booted), staged.spec.image], [
    image.digest,
    null,
    { image: `${IMAGES}/os`, transport: "oci" },
  ]);
  assertEquals((await host.system.status()).map(({ booted, marks }) => [booted, marks]), [[false, "(staged)"], [
    true,
    "",
  ]]);

  await host.system.reboot();
  const now = await host.status();
  assertEquals([now.status.staged, digestOf(now.status.booted), now.status.type], [null, image.digest, "bootcHost"]);
  assertEquals(await host.system.read("/etc/mine"), "kept\n");
  assertEquals(await host.system.read("/etc/new-default"), "image\n");
  assertEquals(await host.system.read("/etc/hostname-of-image"), "changed here\n");
  assertEquals(await host.system.read("/var/mine"), "kept\n");
});

test("bootc upgrade stages the new image and says so again (U1, U8, U18)", async () => {
  await using host = await TestHost.following();
  const old = digestOf((await host.status()).status.booted);
  const image = host.image({ version: "2", files: { "usr/share/x": "2\n" } });
  const { code, stdout, stderr } = await host.bootc("upgrade");
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^layers already present: 1; layers needed: 1 /);
  assertStringIncludes(
    stdout,
    `Queued for next boot: ${FOLLOWED}\n  Version: 2\n  Digest: ${image.digest}\nTotal new layers: 2 `,
  );
  const { status } = await host.status();
  assertEquals([digestOf(status.staged), digestOf(status.booted), status.staged.downloadOnly], [
    image.digest,
    old,
    false,
  ]);
  const again = await host.bootc("upgrade");
  assertEquals(again.stdout, `No changes in ${FOLLOWED} => ${image.digest}\nStaged update present, not changed\n`);
});

test("bootc upgrade refuses an image that cannot mount the host's root, and warns of what it would lose (5.2)", async () => {
  await using host = await TestHost.following();
  const modules = "usr/lib/modules/6.1.0-test";
  const files = { [`${modules}/modules.builtin`]: "kernel/fs/fuse/fuse.ko\n" };
  const ostree = "usr/lib/ostree/ostree-prepare-root";
  host.image({ version: "2", files: { ...files, [`${modules}/initramfs.img`]: emptyFilesCpio([ostree]) } });
  const refused = await host.bootc("upgrade");
  assertEquals(refused.code, 1);
  const [, type] = /Image has an initramfs that cannot mount a root on (\w+): no driver in "/.exec(refused.stderr) ??
    [];
  const driver = `${modules}/kernel/fs/${type}/${type}.ko.zst`;
  const image = host.image({
    version: "3",
    files: { ...files, [`${modules}/initramfs.img`]: emptyFilesCpio([driver, ostree]), "opt/tool": "tool" },
  });
  const { code, stderr } = await host.bootc("upgrade");
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stderr,
    "warning: What the host writes to /opt is lost at its next update: make links to /var\n",
  );
  assertEquals(digestOf((await host.status()).status.staged), image.digest);
});

test("bootc upgrade --check finds an update without staging it (U3)", async () => {
  await using host = await TestHost.following();
  const image = host.image({ version: "2" });
  const { stdout } = await host.bootc("upgrade", "--check");
  assertStringIncludes(stdout, `Update available for: ${FOLLOWED}\n  Version: 2\n  Digest: ${image.digest}\n`);
  const { status } = await host.status();
  assertEquals([status.staged, status.booted.cachedUpdate.imageDigest], [null, image.digest]);
});

test("bootc upgrade --download-only waits for --from-downloaded (U5, U6)", async () => {
  await using host = await TestHost.following();
  const old = digestOf((await host.status()).status.booted);
  const image = host.image({ version: "2" });
  const none = await host.bootc("upgrade", "--from-downloaded");
  assertEquals([none.code, none.stderr], [1, "error: No staged deployment found\n"]);
  const { stdout } = await host.bootc("upgrade", "--download-only");
  assertMatch(stdout, /\nImage downloaded, but will not be applied on reboot\n$/);
  assertEquals((await host.status()).status.staged.downloadOnly, true);
  await host.system.reboot();
  assertEquals(digestOf((await host.status()).status.booted), old);
  assertEquals((await host.status()).status.staged, null);

  await host.bootc("upgrade", "--download-only");
  assertEquals(
    (await host.bootc("upgrade", "--from-downloaded")).stdout,
    "Staged deployment will now be applied on reboot\n",
  );
  assertEquals(
    (await host.bootc("upgrade", "--from-downloaded")).stdout,
    "Staged deployment is already set to apply on reboot\n",
  );
  await host.system.reboot();
  assertEquals(digestOf((await host.status()).status.booted), image.digest);
});

test("bootc rollback swaps the boot order, and swaps it back (U16)", async () => {
  await using host = await TestHost.following();
  const first = digestOf((await host.status()).status.booted);
  const second = host.image({ version: "2" });
  await host.bootc("upgrade");
  await host.system.reboot();
  const rollback = await host.bootc("rollback");
  assertEquals([rollback.code, rollback.stdout], [0, "Next boot: rollback deployment\n"]);
  assertEquals((await host.status()).status.rollbackQueued, true);
  const revert = await host.bootc("rollback");
  assertEquals(revert.stdout, "notice: Reverting queued rollback state\nNext boot: current deployment\n");
  assertEquals((await host.status()).status.rollbackQueued, false);
  await host.bootc("rollback");
  await host.system.reboot();
  const { status } = await host.status();
  assertEquals([digestOf(status.booted), digestOf(status.rollback)], [first, second.digest]);
});

test("bootc rollback refuses without an image to go back to (U16)", async () => {
  await using host = await TestHost.following();
  const { code, stderr } = await host.bootc("rollback");
  assertEquals([code, stderr], [1, "error: Rollback is not container image based\n"]);
});

test("bootc upgrade --apply reboots only when something was staged (U4)", async () => {
  await using host = await TestHost.following();
  const asked = "/run/asked";
  const fake = "/tmp/bin";
  await host.system.write(`${fake}/systemd-run`, `#!/bin/sh\nprintf '%s\\n' "$*" >> ${asked}\n`);
  await host.system.run(["chmod", "755", `${fake}/systemd-run`]);
  const env = { PATH: `${fake}:/usr/sbin:/usr/bin:/sbin:/bin` };
  assertEquals((await host.system.bootc(["upgrade", "--apply"], env)).code, 0);
  assertEquals(await host.system.read(asked), undefined);
  host.image({ version: "2" });
  const { code, stderr } = await host.system.bootc(["upgrade", "--apply"], env);
  assertEquals(code, 0, stderr);
  assertEquals(await host.system.read(asked), "--quiet -- systemctl reboot --message=Initiated by bootc\n");
});

test("bootc edit -f switches the image or the boot order, not both (T15)", async () => {
  await using host = await TestHost.following();
  host.image({ version: "3" }, "other");
  const document = (await host.bootc("status", "--format=yaml")).stdout;
  const edit = async (text: string) => {
    await host.system.write("/tmp/host.yaml", text);
    return await host.bootc("edit", "-f", "/tmp/host.yaml");
  };
  assertEquals((await edit(document)).stdout, "Edit cancelled, no changes made.\n");
  const both = await edit(
    document.replace(`image: ${IMAGES}/os`, `image: ${IMAGES}/other`).replace(
      "bootOrder: default",
      "bootOrder: rollback",
    ),
  );
  assertStringIncludes(both.stderr, "Invalid state transition: rollback and image change");
  const other = await edit(document.replace(`image: ${IMAGES}/os`, `image: ${IMAGES}/other`));
  assertEquals(other.code, 0, other.stderr);
  assertStringIncludes(other.stdout, `Queued for next boot: oci:${IMAGES}/other\n  Version: 3\n`);
});

test("bootc switch keeps both boot entries with kernels of their own (K1), rollback leads back", async () => {
  await using host = await TestHost.following({ kernel: "6.1.0-one" });
  host.image({ version: "rt", kernel: "6.1.0-rt" }, "rt");
  assertEquals((await host.bootc("switch", "--transport", "oci", `${IMAGES}/rt`)).code, 0);
  await host.system.reboot();
  const entries = await host.system.text("sh", "-c", "grep -h ^linux /boot/loader/entries/*.conf");
  assertMatch(entries, /vmlinuz-6\.1\.0-(one|rt)\n.*vmlinuz-6\.1\.0-(one|rt)\n/);
  assertEquals(new Set(entries.trim().split("\n")).size, 2);
  assertEquals((await host.bootc("rollback")).code, 0);
});

test("bootc upgrade writes progress as JSON lines (U20)", async () => {
  await using host = await TestHost.following();
  host.image({ version: "2", files: { "usr/share/x": "2\n" } });
  const { code } = await host.system.run([
    "sh",
    "-c",
    `${host.system.bootcCommand} upgrade --quiet --progress-fd 5 5>/tmp/progress`,
  ]);
  assertEquals(code, 0);
  const events = (await host.system.read("/tmp/progress"))!.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(events[0], { type: "Start", version: "0.1.0" });
  const last = events.at(-1);
  assertEquals([last.type, last.task, last.steps, last.stepsTotal], ["ProgressSteps", "staging", 3, 3]);
  assertEquals(last.subtasks.map(({ subtask }: { subtask: string }) => subtask), [
    "merging",
    "deploying",
    "bound_images",
    "cleanup",
    "cleanup",
  ]);
});

test("an update merges /etc three ways: what was touched here stays, the rest follows the image (F1)", async () => {
  const files = (n: number) =>
    Object.fromEntries(["untouched", "modified", "deleted", "mode"].map((name) => [`etc/${name}`, `image ${n}\n`]));
  await using host = await TestHost.following({ files: files(1) });
  await host.system.write("/etc/modified", "here\n");
  await host.system.run(["rm", "/etc/deleted"]);
  await host.system.run(["chmod", "600", "/etc/mode"]);
  host.image({ version: "2", files: { ...files(2), "etc/added": "image 2\n" } });
  assertEquals((await host.bootc("upgrade")).code, 0);
  await host.system.write("/etc/late", "made after staging\n");
  await host.system.reboot();
  const read = (name: string) => host.system.read(`/etc/${name}`);
  assertEquals(await read("untouched"), "image 2\n");
  assertEquals(await read("added"), "image 2\n");
  assertEquals(await read("modified"), "here\n");
  assertEquals(await read("deleted"), undefined);
  assertEquals(await read("mode"), "image 1\n");
  assertEquals(await read("late"), "made after staging\n");
});

test("bootc upgrade says that a signal ended it before it came to work", async () => {
  await using host = await TestHost.following();
  const fake = "/tmp/bin";
  await host.system.write(`${fake}/unshare`, "#!/bin/sh\nkill -INT $PPID\nexec sleep 20\n");
  await host.system.run(["chmod", "755", `${fake}/unshare`]);
  const { code, stderr } = await host.system.bootc(["upgrade"], { PATH: `${fake}:/usr/sbin:/usr/bin:/sbin:/bin` });
  assertEquals([code, stderr], [130, "error: Interrupted\n"]);
});
