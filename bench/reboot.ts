/** A reboot into what is staged, in a virtual machine: staged by us, and by `ostree admin deploy` from the same commit. */
import { startSystem } from "../scripts/vm/system.ts";
import type { Case } from "./bench.ts";
import { timesRow } from "./table.ts";

/** More would take hours. */
const MOST_ROUNDS = 3;

/** Pulls the followed image and stages its commit, without our half of it; `$1` is the image. */
const STAGE = `mount -o remount,rw /sysroot
pull="bootc internals ostree-container image pull /ostree/repo ostree-unverified-registry:$1"
ostree admin deploy --stage --os=default "$($pull 2> /dev/null | sed -n 's/.* => //p')"`;

export const rebootCase: Case = {
  id: "reboot into what is staged",
  quick: false,
  async run(bench) {
    await using system = await startSystem(bench.ctx, "bios");
    const { machine, site } = system;
    await site.publish(`oci:${site.images.layout}:v2`);
    await machine.must("systemctl is-system-running --wait");
    await machine.save("before");
    const ways = [
      "bootc upgrade --quiet",
      `unshare --mount sh -euc '${STAGE.replaceAll("'", `'\\''`)}' sh ${site.followed}`,
    ];
    const best = [Infinity, Infinity];
    for (let round = 0; round < Math.min(bench.rounds, MOST_ROUNDS); round++) {
      for (const [i, stage] of ways.entries()) {
        await machine.restore("before");
        await machine.must(stage);
        best[i] = Math.min(best[i]!, await machine.reboot());
        await machine.must("test $(cat /usr/lib/vm-version) = v2");
      }
    }
    return [timesRow(this.id, { ours: best[0]!, other: best[1]!, goal: 1 })];
  },
};
