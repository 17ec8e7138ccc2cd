/**
 * `bootc usr-overlay` up to what it asks of ostree, in the chroot that looks booted: over a real overlay the programs of the host, which
 * lie below /usr there, could not be seen any more.
 */
import { assertEquals } from "@std/assert";
import { mayMount } from "../may_mount.ts";
import { bootcWith } from "./bootc.ts";
import { TestHost } from "./test_host.ts";

const ignore = !await mayMount();
const test = (name: string, fn: () => Promise<void>) => Deno.test(name, { ignore }, fn);
const FAKES = "/tmp/bin";
const SEARCH = { PATH: `${FAKES}:/usr/sbin:/usr/bin:/sbin:/bin` };

/** Puts a program before the real one, which writes down its words, says something, and ends so. */
async function fake({ system }: TestHost, program: string, code = 0): Promise<void> {
  const script = `#!/bin/sh\nprintf '%s\\n' "$*" >> /run/asked\necho said\necho "why" >&2\nexit ${code}\n`;
  await system.write(`${FAKES}/${program}`, script);
  await system.run(["chmod", "755", `${FAKES}/${program}`]);
}

/** Leaves what libostree knows an unlocked deployment by. */
async function markUnlocked({ system }: TestHost, how: "development" | "transient"): Promise<void> {
  const [booted] = await system.status();
  await system.write(`/run/ostree/deployment-state/${booted!.checksum}.${booted!.serial}/unlocked-${how}`, "");
}

for (
  const [words, argv] of [
    [["usr-overlay"], "admin unlock\n"],
    [["usroverlay"], "admin unlock\n"],
    [["usr-overlay", "--read-only"], "admin unlock --transient\n"],
  ] as const
) {
  test(`bootc ${words.join(" ")} runs ostree ${argv.trim()} and prints what it says (F4)`, async () => {
    await using host = await TestHost.boot();
    await fake(host, "ostree");
    assertEquals(await host.system.bootc(words, SEARCH), { code: 0, stdout: "said\n", stderr: "" });
    assertEquals(await host.system.read("/run/asked"), argv);
  });
}

test("bootc usr-overlay leaves a mount namespace of its own (F4)", async () => {
  await using host = await TestHost.boot();
  await fake(host, "nsenter");
  const command = `PATH=${SEARCH.PATH} ${host.system.bootcCommand} usr-overlay`;
  const { code, stdout } = await host.system.run(["unshare", "--mount", "sh", "-c", command]);
  assertEquals([code, stdout], [0, "said\n"]);
  assertEquals(
    await host.system.read("/run/asked"),
    "--target=1 --mount --root --wd -- ostree admin unlock\n",
  );
});

for (
  const [how, what, hint] of [
    ["development", "transient, read/write", "The next reboot removes it"],
    [
      "transient",
      "transient, read-only",
      "To write below /usr: unshare --mount sh -c 'mount --options-mode=ignore -o remount,rw /usr && exec sh'; the next reboot removes it",
    ],
  ] as const
) {
  test(`bootc usr-overlay refuses where there is an overlay already: ${how} (F4)`, async () => {
    await using host = await TestHost.boot();
    await markUnlocked(host, how);
    await fake(host, "ostree");
    const { code, stdout, stderr } = await host.system.bootc(["usr-overlay"], SEARCH);
    assertEquals([code, stdout, stderr], [
      1,
      "",
      `error: There is an overlay over /usr already: ${what}\nhint: ${hint}\n`,
    ]);
    assertEquals(await host.system.read("/run/asked"), undefined);
  });
}

test("bootc usr-overlay says why ostree failed (F4)", async () => {
  await using host = await TestHost.boot();
  await fake(host, "ostree", 1);
  const { code, stdout, stderr } = await host.system.bootc(["usr-overlay"], SEARCH);
  assertEquals([code, stdout, stderr], [
    1,
    "",
    'error: Cannot lay an overlay over /usr: "ostree admin unlock" failed with exit code 1: why\n' +
    "hint: /usr is as it was; see `mount -t overlay`\n",
  ]);
});

const BOOTED_ELSE = "hint: Run it on a host that was booted from an ostree deployment\n";
for (
  const [fact, options, expected] of [
    [
      "whoever is not root",
      { euid: 65534 },
      "This command must be executed as the root user\nhint: Run it again with sudo\n",
    ],
    [
      "in a container",
      { env: { container: "podman" } },
      "Detected container; this command requires a booted host system\nhint: Run it on the host\n",
    ],
    [
      "on a host that ostree did not boot",
      {},
      `Unlocking /usr: Initializing storage: System not booted via bootc\n${BOOTED_ELSE}`,
    ],
  ] as const
) {
  Deno.test(`bootc usr-overlay refuses ${fact} (T27)`, async () => {
    const { code, stderr } = await bootcWith(options, "usr-overlay");
    assertEquals([code, stderr], [1, `error: ${expected}`]);
  });
}

Deno.test("bootc usr-overlay takes no --sysroot: nothing but the running /usr can be overlaid", async () => {
  const { code, stderr } = await bootcWith({}, "usr-overlay", "--sysroot", "/x");
  assertEquals([code, stderr.split("\n")[0]], [2, 'error: Unknown option "--sysroot"']);
});
