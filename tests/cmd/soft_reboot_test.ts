/**
 * `--soft-reboot`, in the chroot that looks booted, with a libostree that knows no soft reboot. What a later one does is seen in a virtual
 * machine alone: it leaves the chroot.
 */
import { assertEquals } from "@std/assert";
import { knowsSoftReboot } from "../../lib/ostree/sysroot.ts";
import { mayMount } from "../may_mount.ts";
import { bootcWith } from "./bootc.ts";
import { IMAGES, TestHost } from "./test_host.ts";

const ignore = !await mayMount() || knowsSoftReboot();
const test = (name: string, fn: () => Promise<void>) => Deno.test(name, { ignore }, fn);

const REFUSED = "error: Cannot soft-reboot: this system does not support it\n" +
  "hint: It takes libostree 2025.3 and systemd 254, or later ones; use --apply alone for a full reboot\n";

for (
  const words of [
    ["upgrade"],
    ["upgrade", "--from-downloaded"],
    ["switch", "--transport", "oci", `${IMAGES}/os`],
    ["rollback"],
  ]
) {
  test(`bootc ${words.join(" ")} --soft-reboot=required is refused before anything is fetched (U24)`, async () => {
    await using host = await TestHost.following();
    host.image({ version: "2" });
    const before = await host.status();
    const { code, stdout, stderr } = await host.bootc(...words, "--soft-reboot=required");
    assertEquals([code, stdout, stderr], [1, "", REFUSED]);
    assertEquals(await host.status(), before);
  });
}

for (
  const [words, asked] of [
    [["--soft-reboot=auto"], undefined],
    [["--soft-reboot=auto", "--apply"], "--quiet -- systemctl reboot --message=Initiated by bootc\n"],
  ] as const
) {
  test(`bootc upgrade ${words.join(" ")} is for a full reboot where it can be no other (U24)`, async () => {
    await using host = await TestHost.following();
    host.image({ version: "2" });
    await host.system.write("/tmp/bin/systemd-run", "#!/bin/sh\nprintf '%s\\n' \"$*\" >> /run/asked\n");
    await host.system.run(["chmod", "755", "/tmp/bin/systemd-run"]);
    const env = { PATH: "/tmp/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
    const { code, stderr } = await host.system.bootc(["upgrade", "--quiet", ...words], env);
    assertEquals([code, stderr, await host.system.read("/run/asked")], [0, "", asked]);
    assertEquals((await host.status()).status.staged.softRebootCapable, false);
  });
}

for (const code of [0, 32]) {
  test(`bootc upgrade takes back a soft reboot that was prepared, where umount ends with ${code} (U24)`, async () => {
    await using host = await TestHost.following();
    host.image({ version: "2" });
    const env = await host.system.prepareSoftReboot(code);
    const upgraded = await host.system.bootc(["upgrade", "--quiet"], env);
    assertEquals([upgraded.code, upgraded.stderr], [
      0,
      code === 0
        ? "The soft reboot that was prepared is taken back\n"
        : 'warning: Cannot take back the soft reboot that was prepared: "nsenter --target=1 --mount --root --wd -- umount ' +
          '--recursive /run/nextroot" failed with exit code 32: busy\n',
    ]);
    assertEquals(await host.system.read("/run/asked"), "--recursive /run/nextroot\n");
    assertEquals(await host.system.read("/run/ostree/nextroot-booted"), code === 0 ? undefined : "");
  });
}

for (const other of ["--download-only", "--check"]) {
  Deno.test(`bootc upgrade --soft-reboot=auto cannot be used with ${other}`, async () => {
    const { code, stderr } = await bootcWith({}, "upgrade", "--soft-reboot=auto", other);
    assertEquals([code, stderr.split("\n")[0]], [2, `error: Option "${other}" cannot be used with "--soft-reboot"`]);
  });
}
