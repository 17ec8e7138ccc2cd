/** Twenty power cuts at random moments of pull, deploy and finalize, one after the other on one disk, so that their harm would add up. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Machine } from "../../scripts/vm/machine.ts";
import type { Firmware } from "../../scripts/vm/machine_argv.ts";
import { type Site, startSite } from "../../scripts/vm/system.ts";
import { makeVersion } from "../../scripts/vm/versions.ts";
import { agreedRoles, ctx, running, step, whole } from "./system.ts";

/** How the cuts are made. */
export interface CutOptions {
  readonly firmware: Firmware;
  /** The disk loses what it was not told to flush. */
  readonly volatileCache: boolean;
}

/** `POWER_CUTS` says how many, where twenty take too long. */
const CUTS = Number(Deno.env.get("POWER_CUTS") ?? 20);
/** Every fourth cut is at a shutdown that finalizes what was staged; the others are in a pull or a deployment. */
const FINALIZE_EVERY = 4;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** A machine whose registry gets a new version whenever one is asked for. */
class Victim {
  #published = 0;

  constructor(readonly site: Site, readonly machine: Machine) {}

  /** Gives the name of the version that the followed tag stands for now. */
  async publish(): Promise<string> {
    const version = `c${++this.#published}`;
    const { images, directory } = this.site;
    await this.site.publish(await makeVersion(ctx, { images, directory, version }));
    return version;
  }

  /** The version that runs, which must be one of these, and whole. */
  async runs(versions: readonly string[]): Promise<string> {
    const found = await running(this.machine);
    assertStringIncludes(` ${versions.join(" ")} `, ` ${found.version} `);
    assertEquals(found, whole(found.version));
    const roles = await agreedRoles(this.machine);
    assertEquals(roles.filter((role) => role === "booted"), ["booted"]);
    assertEquals(await this.machine.must("cat /etc/vm-default.conf /etc/vm-mine"), `default ${found.version}\nmine`);
    return found.version;
  }

  /** A whole upgrade with its reboot; how long the command and the shutdown took, in milliseconds. */
  async upgrade(): Promise<{ upgradeMs: number; shutdownMs: number }> {
    const version = await this.publish();
    const upgradeMs = await timed(() => this.machine.must("bootc upgrade --quiet"));
    const shutdownMs = await timed(() => this.machine.powerOff());
    await this.machine.powerOn();
    assertEquals(await this.runs([version]), version);
    return { upgradeMs, shutdownMs };
  }
}

/** Makes the cuts; each is a step, and so is the upgrade after them. */
export async function powerCuts(t: Deno.TestContext, { firmware, volatileCache }: CutOptions): Promise<void> {
  await using site = await startSite(ctx);
  // What the versions have in common with it need not be sent again.
  await site.publish(`oci:${site.images.layout}:v2`, "below");
  await using machine = await Machine.start(ctx, { disk: site.disk, firmware, volatileCache });
  const victim = new Victim(site, machine);
  let [current, upgradeMs, shutdownMs, lost] = ["v1", 0, 0, 0];

  await step(t, "an upgrade without a power cut, which says how long one takes", async () => {
    await machine.must("echo mine > /etc/vm-mine");
    ({ upgradeMs, shutdownMs } = await victim.upgrade());
    current = (await running(machine)).version;
  });

  for (let i = 1; i <= CUTS; i++) {
    const finalize = i % FINALIZE_EVERY === 0;
    const afterMs = Math.round(Math.random() * (finalize ? shutdownMs : upgradeMs));
    const what = `${(afterMs / 1000).toFixed(2)} s into ${finalize ? "the shutdown" : "the upgrade"}`;
    await step(t, `power cut ${i} of ${CUTS}, ${what}`, async () => {
      const next = await victim.publish();
      if (finalize) {
        await machine.must("bootc upgrade --quiet");
        await machine.launch("systemctl poweroff");
      } else {
        await machine.launch("bootc upgrade --quiet");
      }
      await pause(afterMs);
      await machine.cutPower();
      lost += machine.lostWrites;
      await machine.powerOn();
      // Without a shutdown nothing that was staged is used.
      current = await victim.runs(finalize ? [current, next] : [current]);
    });
  }

  await step(t, `with ${lost} writes lost, an upgrade works, and ostree finds every object whole`, async () => {
    await victim.upgrade();
    await machine.must("ostree fsck --quiet");
    // A few cuts may all come when nothing waits for a flush.
    if (volatileCache && CUTS >= 20) assertEquals(lost > 0, true, "no write was ever lost");
    await machine.powerOff();
  });
}
