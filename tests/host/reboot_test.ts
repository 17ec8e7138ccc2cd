import { assertEquals } from "@std/assert";
import { rebootArgv } from "../../lib/host/reboot.ts";
import { systemTools } from "../../lib/sys/context.ts";

const common = ["systemd-run", "--quiet", "--", "systemctl"];

Deno.test("rebootArgv() asks for a restart of the machine, or of user space alone (U4, U24)", () => {
  assertEquals(rebootArgv({ tools: systemTools }), [...common, "reboot", "--message=Initiated by bootc"]);
  assertEquals(
    rebootArgv({ tools: systemTools }, { soft: true }),
    [...common, "soft-reboot", "--message=Initiated by bootc"],
  );
});
