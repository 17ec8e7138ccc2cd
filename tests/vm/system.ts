/** Systems in virtual machines, and what a test asks of them. */
import { assertEquals } from "@std/assert";
import type { Machine } from "../../scripts/vm/machine.ts";
import type { Firmware } from "../../scripts/vm/machine_argv.ts";
import { startSystem as start, type System } from "../../scripts/vm/system.ts";
import "../libraries.ts";
import { mayMount } from "../may_mount.ts";
import { ctx } from "../packaging/checkout.ts";
import { deploymentsOf, parseAdminStatus, type Seen } from "./deployments.ts";

export { ctx };

/** The machine has this processor only; to make images and to install one takes mounts. */
export const ignore: boolean = Deno.build.arch !== "x86_64" || !await mayMount();

/** Installs and boots a system; gone at the end of the block. */
export async function startSystem(firmware: Firmware): Promise<System> {
  return await start(ctx, firmware);
}

/** What a machine says of the version that it runs. */
export interface Running {
  readonly version: string;
  readonly state: string;
  readonly kernelArguments: readonly string[];
}

/** Asks it, once all services have started or failed. */
export async function running(machine: Machine): Promise<Running> {
  const text = await machine.must(`
    cat /usr/lib/vm-version
    systemctl is-system-running --wait || :
    grep -o 'vm.version=[^ ]*' /proc/cmdline`);
  const [version = "", state = "", ...kernelArguments] = text.split("\n");
  return { version, state, kernelArguments };
}

/** A version that runs with its own kernel arguments and without a failed unit. */
export const whole = (version: string): Running => ({
  version,
  state: "running",
  kernelArguments: [`vm.version=${version}`],
});

/** The roles of the deployments, once ostree and bootc agree on all of them. */
export async function agreedRoles(machine: Machine): Promise<string[]> {
  const role = (seen: Seen) => seen.slice(0, seen.indexOf(" "));
  const ours = deploymentsOf(await machine.must("bootc status --json"));
  assertEquals(ours, parseAdminStatus(await machine.must("ostree admin status")));
  return ours.map(role);
}

/** A step that the ones after it rest on: its failure ends the test. */
export async function step(t: Deno.TestContext, name: string, work: () => Promise<void>): Promise<void> {
  if (!await t.step(name, work)) throw new Error(`Step "${name}" failed`);
}
