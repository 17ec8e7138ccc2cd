import { assertEquals } from "@std/assert";
import { mayMount } from "../../may_mount.ts";
import { bootcWith } from "../bootc.ts";
import { IMAGES, TestHost } from "../test_host.ts";

Deno.test({
  name: "bootc internals publish-rhsm-facts writes the facts of a running host",
  ignore: !await mayMount(),
  fn: async () => {
    await using host = await TestHost.following();
    await host.system.write("/etc/rhsm/facts/other.facts", "{}\n");
    const { code, stdout, stderr } = await host.bootc("internals", "publish-rhsm-facts");
    assertEquals([code, stdout, stderr], [0, "", ""]);
    const facts = JSON.parse((await host.system.read("/etc/rhsm/facts/bootc.facts"))!);
    assertEquals([facts["bootc.booted.image"], facts["bootc.booted.version"], facts["bootc.staged.image"]], [
      `${IMAGES}/os`,
      "1",
      "",
    ]);
  },
});

Deno.test("bootc internals publish-rhsm-facts refuses in a container", async () => {
  const { code, stderr } = await bootcWith({ env: { container: "oci" } }, "internals", "publish-rhsm-facts");
  assertEquals([code, stderr], [
    1,
    "error: Detected container; this command requires a booted host system\nhint: Run it on the host\n",
  ]);
});
