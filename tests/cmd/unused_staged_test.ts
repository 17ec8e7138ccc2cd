/** What `status` says after a reboot that did not use what was staged, in the chroot that looks booted, finished by the real ostree. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { mayMount } from "../may_mount.ts";
import { IMAGES, TestHost } from "./test_host.ts";

const ignore = !await mayMount();
const test = (name: string, fn: () => Promise<void>) => Deno.test(name, { ignore }, fn);

/** A host with a staged version 2, in which a file of /etc has become a directory, and how the notes name that. */
async function staged(...words: string[]): Promise<{ host: TestHost; name: string }> {
  const host = await TestHost.following({ files: { "etc/conf": "1\n" } });
  const { digest } = host.image({ version: "2", files: { "etc/conf/main": "2\n" } });
  const { code, stderr } = await host.bootc("upgrade", ...words);
  if (code !== 0) throw new Error(stderr);
  return { host, name: `The staged image oci:${IMAGES}/os (${digest})` };
}

const notes = async (host: TestHost) => (await host.bootc("status", "--json")).stderr;

const WHY = "Modified config file newly defaults to directory 'conf', cannot merge";

/** Shuts down after the file was changed here, which ostree cannot merge with a directory. */
async function failToFinish(host: TestHost): Promise<void> {
  await host.system.write("/etc/conf", "mine\n");
  const { code, stderr } = await host.system.run(["ostree", "admin", "finalize-staged"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, WHY);
}

test("bootc status says why ostree could not finish what was staged, from its stamp in /boot", async () => {
  const { host, name } = await staged();
  await using _ = host;
  assertEquals(await notes(host), "");
  await failToFinish(host);
  const why = await host.system.read("/boot/ostree/finalize-failure.stamp");
  assertStringIncludes(why!, WHY);
  await host.system.powerCycle();
  assertEquals(
    await notes(host),
    `warning: ${name} was not used: ostree could not finish it at shutdown: ${why}\n` +
      "hint: Mend that, then run `bootc upgrade` again\n",
  );
  await host.system.run(["rm", "/etc/conf"]);
  assertEquals((await host.bootc("upgrade")).code, 0);
  assertEquals(await notes(host), "");
  await host.system.reboot();
  assertEquals([await notes(host), (await host.status()).status.booted.image.version], ["", "2"]);
});

test("bootc status asks the journal where the stamp was taken away at boot", async () => {
  const { host, name } = await staged();
  await using _ = host;
  await failToFinish(host);
  const why = await host.system.read("/boot/ostree/finalize-failure.stamp");
  await host.system.powerCycle();
  // What ostree-boot-complete.service does; the journal is the only thing that is not real.
  const { stderr } = await host.system.run(["ostree", "admin", "boot-complete"], {
    env: { INVOCATION_ID: "abc123" },
  });
  assertEquals(stderr, `error: ostree-finalize-staged.service failed on previous boot: ${why}\n`);
  assertEquals(await host.system.read("/boot/ostree/finalize-failure.stamp"), undefined);
  await host.system.write("/tmp/said", `Starting...\n${stderr}Failed to start.\n`);
  await host.system.write("/tmp/bin/journalctl", '#!/bin/sh\necho "$*" > /tmp/asked\ncat /tmp/said\n');
  await host.system.run(["chmod", "755", "/tmp/bin/journalctl"]);
  const status = await host.system.bootc(["status", "--json"], { PATH: "/tmp/bin:/usr/sbin:/usr/bin:/sbin:/bin" });
  assertEquals(
    status.stderr,
    `warning: ${name} was not used: ostree could not finish it at shutdown: ${why}\n` +
      "hint: Mend that, then run `bootc upgrade` again\n",
  );
  assertEquals(
    await host.system.read("/tmp/asked"),
    "--quiet --no-pager --output=cat --boot --unit=ostree-boot-complete.service\n",
  );
});

test("bootc status says that a reboot discarded what --download-only had staged (U5)", async () => {
  const { host, name } = await staged("--download-only");
  await using _ = host;
  await host.system.reboot();
  assertEquals(
    await notes(host),
    `warning: ${name} was not used: it came by --download-only, and a reboot does not apply that\n` +
      "hint: Run `bootc upgrade`; after --download-only, `bootc upgrade --from-downloaded` has to come before the reboot\n",
  );
});

test("bootc status knows that --from-downloaded applied what --download-only had staged (U6)", async () => {
  const { host, name } = await staged("--download-only");
  await using _ = host;
  assertEquals((await host.bootc("upgrade", "--from-downloaded")).code, 0);
  await host.system.powerCycle();
  assertEquals(
    await notes(host),
    `warning: ${name} was not used: the machine went down without a shutdown, or the shutdown ended before ostree could finish it\n` +
      "hint: See `journalctl --boot=-1 --unit=ostree-finalize-staged.service`; run `bootc upgrade` again\n",
  );
});

test("bootc status advises to switch again after a power cut, where that was what was staged", async () => {
  await using host = await TestHost.following();
  host.image({ version: "other" }, "other");
  assertEquals((await host.bootc("switch", "--transport", "oci", `${IMAGES}/other`)).code, 0);
  await host.system.powerCycle();
  assertStringIncludes(await notes(host), "ostree-finalize-staged.service`; run `bootc switch` again\n");
});

test("bootc upgrade writes down what it staged, and what became of its lock", async () => {
  const { host } = await staged("--download-only");
  await using _ = host;
  const read = async () => JSON.parse((await host.system.read("/sysroot/ostree/bootc/staged.json"))!);
  const { deploymentsMs, ...record } = await read();
  const { image, ostree } = (await host.status()).status.staged;
  assertEquals(record, {
    image: `oci:${IMAGES}/os`,
    digest: image.imageDigest,
    stateroot: "default",
    checksum: ostree.checksum,
    locked: true,
  });
  assertEquals((await host.bootc("upgrade", "--from-downloaded")).code, 0);
  assertEquals(await read(), { ...record, deploymentsMs, locked: false });
});

test("bootc status is silent where somebody discarded what was staged", async () => {
  const { host } = await staged();
  await using _ = host;
  await host.system.text("ostree", "admin", "undeploy", "0");
  assertEquals(await notes(host), "");
  await host.system.powerCycle();
  assertEquals(await notes(host), "");
});

for (
  const [fact, content] of [
    ["no JSON", "{"],
    ["JSON of another shape", '{"stateroot":1}'],
    ["null", "null"],
    ["larger than any", " ".repeat(100_000)],
  ] as const
) {
  test(`bootc status passes over a record that is ${fact}`, async () => {
    const { host } = await staged();
    await using _ = host;
    await Deno.writeTextFile(`${host.system.sysroot.path}/ostree/bootc/staged.json`, content);
    await host.system.powerCycle();
    const { code, stderr } = await host.bootc("status", "--json");
    assertEquals([code, stderr], [0, ""]);
  });
}
