/** Commands that answer at once: how much longer they take than the least that anyone could do. */
import { run } from "../lib/sys/run.ts";
import { type Bench, type Case, imageFrom } from "./bench.ts";
import { measure } from "./measure.ts";
import { extraRow, sizeRow, timesRow } from "./table.ts";

/** Runs are short here, so more of them cost nothing. */
const ROUNDS_FACTOR = 4;

/** The shortest of several runs, in seconds. */
async function shortest(bench: Bench, commands: readonly (readonly [string, ...string[]])[]): Promise<number[]> {
  const times = commands.map(() => Infinity);
  for (let round = 0; round < bench.rounds * ROUNDS_FACTOR; round++) {
    for (const [i, argv] of commands.entries()) {
      times[i] = Math.min(times[i]!, (await measure(bench.ctx, argv, bench.env)).seconds);
    }
  }
  return times;
}

/** A sysroot with one deployment for each of these versions of a small system, from the registry. */
async function sysroot(
  bench: Bench,
  name: string,
  versions: readonly ("bootable1" | "bootable2" | "bootable3")[],
): Promise<string> {
  const path = `${bench.directory}/${name}`;
  await Deno.mkdir(path);
  await run(bench.ctx, ["ostree", "admin", "init-fs", path]);
  await run(bench.ctx, ["ostree", "admin", "os-init", `--sysroot=${path}`, "bench"]);
  for (const version of versions) {
    const image = await imageFrom(bench, version, "registry");
    const reference = `ostree-unverified-registry:${image.slice("docker://".length)}`;
    const deploy = ["internals", "ostree-container", "image", "deploy", "--sysroot", path, "--stateroot", "bench"];
    await run(bench.ctx, [bench.programs.bootc, ...deploy, "--imgref", reference], { env: bench.env });
    // A merge deployment stays beside the new one, the older ones only while they are pinned.
    await run(bench.ctx, ["ostree", "admin", "pin", `--sysroot=${path}`, "0"]);
  }
  return path;
}

const upgradeCase: Case = {
  id: "upgrade with nothing new",
  quick: true,
  async run(bench) {
    const path = await sysroot(bench, "sysroot1", ["bootable1"]);
    const image = await imageFrom(bench, "bootable1", "registry");
    const { bootc, empty } = bench.programs;
    const [ours, start, inspect] = await shortest(bench, [
      [bootc, "upgrade", "--quiet", "--sysroot", path],
      [empty],
      ["skopeo", "inspect", "--raw", image],
    ]) as [number, number, number];
    return [extraRow(this.id, { ours, other: start + inspect, goalMs: 60 })];
  },
};

const statusCase: Case = {
  id: "status --json, three deployments",
  quick: true,
  async run(bench) {
    const path = await sysroot(bench, "sysroot3", ["bootable1", "bootable2", "bootable3"]);
    const { bootc, empty } = bench.programs;
    const [ours, start] = await shortest(bench, [[bootc, "status", "--json", "--sysroot", path], [empty]]) as [
      number,
      number,
    ];
    return [extraRow(this.id, { ours, other: start, goalMs: 60 })];
  },
};

/** A command that needs nothing but its own few modules. */
function startCase(id: string, words: readonly string[]): Case {
  return {
    id,
    quick: true,
    async run(bench) {
      const { bootc, empty } = bench.programs;
      const [ours, start] = await shortest(bench, [[bootc, ...words], [empty]]) as [number, number];
      return [timesRow(id, { ours, other: start, goal: 1.5 })];
    },
  };
}

/** How much of the executable is ours: Deno's runtime alone is what an empty program takes. */
const sizeCase: Case = {
  id: "size of the executable",
  quick: true,
  async run({ programs }) {
    const [bootc, empty] = await Promise.all([Deno.stat(programs.bootc), Deno.stat(programs.empty)]);
    return [sizeRow(this.id, { oursBytes: bootc.size, otherBytes: empty.size, goalBytes: 5e6 })];
  },
};

/** See the module's comment. */
export const hostCases: readonly Case[] = [
  upgradeCase,
  statusCase,
  startCase("bootc --version", ["--version"]),
  startCase("bootc-systemd-generator", [
    "internals",
    "systemd-generator",
    "/nonexistent",
    "/nonexistent",
    "/nonexistent",
  ]),
  sizeCase,
];
