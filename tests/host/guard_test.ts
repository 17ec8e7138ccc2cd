import { assertEquals, assertRejects } from "@std/assert";
import { renderError } from "../../lib/cli/errors.ts";
import { inContainer, notBooted, requireHost } from "../../lib/host/guard.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { tempDir } from "../temp.ts";

interface Case {
  readonly euid?: number;
  readonly env?: Record<string, string>;
  /** Files below /run. */
  readonly run?: string[];
  readonly sysroot?: string;
  readonly doing?: string;
}

const NOT_BOOTED = "System not booted via bootc\n" +
  "hint: Give the system to work on with --sysroot, or see `bootc status`\n";
const NOT_ROOT = "error: This command must be executed as the root user\nhint: Run it again with sudo\n";
const CONTAINER = "error: Detected container; this command requires a booted host system\n" +
  "hint: Run it on the host, or give the system to work on with --sysroot\n";

const rows: [fact: string, given: Case, expected: string][] = [
  ["lets root on a booted host pass", { run: ["ostree-booted"] }, ""],
  ["lets anyone pass with --sysroot", { sysroot: "/sysroot", euid: 1000, env: { container: "oci" } }, ""],
  ["refuses who is not root first", { euid: 1000, env: { container: "oci" } }, NOT_ROOT],
  ["refuses in a container by the environment", { env: { container: "oci" }, run: ["ostree-booted"] }, CONTAINER],
  ["refuses in podman's container", { run: [".containerenv"] }, CONTAINER],
  ["takes an empty container= for none", { env: { container: "" }, run: ["ostree-booted"] }, ""],
  ["refuses a host booted otherwise", {}, `error: Initializing storage: ${NOT_BOOTED}`],
  ["names the verb before it", { doing: "Switching" }, `error: Switching: Initializing storage: ${NOT_BOOTED}`],
  ["names no verb to who is not root", { doing: "Switching", euid: 1 }, NOT_ROOT],
];

for (const [fact, { euid = 0, env = {}, run = [], sysroot, doing }, expected] of rows) {
  Deno.test(`requireHost() ${fact}`, async () => {
    await using tmp = await tempDir();
    await Deno.mkdir(`${tmp.path}/run`);
    for (const name of run) await Deno.writeTextFile(`${tmp.path}/run/${name}`, "");
    const guarded = requireHost({ ...plainContext(env), euid }, {
      sysroot,
      root: tmp.path,
      ...(doing === undefined ? {} : { doing }),
    });
    if (expected === "") return await guarded;
    assertEquals(renderError(await assertRejects(() => guarded, UserError)), expected);
  });
}

Deno.test("notBooted() is the same refusal for a command that finds no booted deployment", () => {
  assertEquals(renderError(notBooted("Rollback")), `error: Rollback: Initializing storage: ${NOT_BOOTED}`);
});

Deno.test("inContainer() says so for systemd's convention, whatever the value", async () => {
  await using tmp = await tempDir();
  assertEquals(await inContainer(plainContext({ container: "systemd-nspawn" }), tmp.path), true);
  assertEquals(await inContainer(plainContext({}), tmp.path), false);
});
