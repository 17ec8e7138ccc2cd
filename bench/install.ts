/** `bootc install to-disk` beside a pull and a deployment of the same image: what partitions, boot loaders and checks cost. */
import { workTreeImages } from "../scripts/vm/system.ts";
import { capture, run } from "../lib/sys/run.ts";
import type { Bench, Case } from "./bench.ts";
import { best, measure, type Measured } from "./measure.ts";
import { ourPull } from "./pulls.ts";
import { timesRow } from "./table.ts";

const DISK_BYTES = 4 * 1024 ** 3;

/** The boot tests' system, with the program as it is in the work tree. `BENCH_INSTALL_IMAGE` names another one. */
async function bootableImage({ ctx }: Bench): Promise<string> {
  return ctx.env["BENCH_INSTALL_IMAGE"] || `oci:${(await workTreeImages(ctx)).layout}:v1`;
}

/** Where the disk images lie: on a disk, as the time that its syncs take belongs to both. */
function onDisk(bench: Bench): Promise<string> {
  return Deno.makeTempDir({ dir: bench.ctx.env["TMPDIR"] || "/var/tmp", prefix: "bench-install-" });
}

async function freshDisk(bench: Bench, path: string): Promise<void> {
  await run(bench.ctx, ["rm", "-f", "--", path]);
  await run(bench.ctx, ["truncate", "-s", String(DISK_BYTES), "--", path]);
}

async function install(bench: Bench, image: string, directory: string): Promise<Measured> {
  const disk = `${directory}/disk.img`;
  await freshDisk(bench, disk);
  // deno-fmt-ignore
  const measured = await measure(bench.ctx, [
    bench.programs.bootc, "install", "to-disk", "--quiet", "--via-loopback", "--filesystem", "ext4", "--source-imgref", image, disk,
  ], bench.env);
  await run(bench.ctx, ["rm", "--", disk]);
  return measured;
}

/** The file system and the empty system root are there before the clock starts, and stay mounted when it stops. */
async function pullAndDeploy(bench: Bench, image: string, directory: string): Promise<Measured> {
  const { ctx } = bench;
  const file = `${directory}/root.img`, root = `${directory}/root`;
  await freshDisk(bench, file);
  await run(ctx, ["mkfs.ext4", "-q", "-F", file]);
  await Deno.mkdir(root);
  await run(ctx, ["mount", "-o", "loop", file, root]);
  try {
    await run(ctx, ["ostree", "admin", "init-fs", root]);
    await run(ctx, ["ostree", "admin", "os-init", `--sysroot=${root}`, "bench"]);
    const repo = `${root}/ostree/repo`;
    const pulled = await measure(ctx, ourPull(bench)(repo, image), bench.env);
    const refs = await capture(ctx, ["ostree", "refs", `--repo=${repo}`, "--list", "ostree/container/image"]);
    const deployed = await measure(ctx, ["ostree", "admin", "deploy", `--sysroot=${root}`, "--os=bench", refs.trim()]);
    return {
      seconds: pulled.seconds + deployed.seconds,
      cpuSeconds: pulled.cpuSeconds + deployed.cpuSeconds,
      maxRssMiB: Math.max(pulled.maxRssMiB, deployed.maxRssMiB),
    };
  } finally {
    const anyway = { ...ctx, signal: new AbortController().signal };
    await run(anyway, ["umount", "--", root]);
    await run(anyway, ["rm", "-r", "--", root, file]);
  }
}

/** See the module's comment. */
export const installCase: Case = {
  id: "install to-disk",
  async run(bench) {
    const image = await bootableImage(bench);
    const directory = await onDisk(bench);
    try {
      const [ours, theirs]: [Measured[], Measured[]] = [[], []];
      for (let round = 0; round < bench.rounds; round++) {
        ours.push(await install(bench, image, directory));
        theirs.push(await pullAndDeploy(bench, image, directory));
      }
      return [timesRow(this.id, { ours: best(ours).seconds, other: best(theirs).seconds, goal: 1.5 })];
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
};
