/** Pulls, each beside the reference's way; both sides take turns, so that a busy moment hits both. */
import { run } from "../lib/sys/run.ts";
import type { Bench, Case, Source } from "./bench.ts";
import { imageFrom } from "./bench.ts";
import type { InputName } from "./inputs.ts";
import { best, measure, type Measured } from "./measure.ts";
import { memoryRow, ratioRow, type Row } from "./table.ts";

/** A pull to be compared. */
export interface PullOptions {
  readonly image: InputName;
  readonly source: Source;
  /** Least ratio. */
  readonly goal: number;
  /** Pulled before, not timed: the case is the upgrade from it. */
  readonly before?: InputName;
  /** For our side: switches parts of it off. */
  readonly env?: Readonly<Record<string, string>>;
  /** Directory for the repositories; tmpfs unless given. */
  readonly directory?: string;
}

/** One side of a comparison: a command for a repository and an image. */
type Side = (repo: string, image: string) => readonly [string, ...string[]];

/** The command under test. */
export function ourPull(bench: Bench): Side {
  return (repo, image) => {
    const reference = `ostree-unverified-image:${image}`;
    return [bench.programs.bootc, "internals", "ostree-container", "image", "pull", "--quiet", repo, reference];
  };
}

function referencePull(bench: Bench): Side {
  return (repo, image) => [bench.programs.reference, repo, image];
}

function realPull(program: string): Side {
  return (repo, image) => [program, "container", "image", "pull", repo, `ostree-unverified-image:${image}`];
}

/** One run of one side into a repository of its own. */
async function pullOnce(bench: Bench, side: Side, options: PullOptions): Promise<Measured> {
  const repo = `${options.directory ?? bench.directory}/repo`;
  await run(bench.ctx, ["rm", "-rf", "--", repo]);
  await run(bench.ctx, ["ostree", "init", `--repo=${repo}`, "--mode=bare"]);
  const env = { ...bench.env, ...options.env };
  if (options.before) await measure(bench.ctx, side(repo, await imageFrom(bench, options.before, options.source)), env);
  const measured = await measure(bench.ctx, side(repo, await imageFrom(bench, options.image, options.source)), env);
  await run(bench.ctx, ["rm", "-rf", "--", repo]);
  return measured;
}

/** Compares a pull with the reference's way, and with a real reference where there is one. */
export async function comparePull(bench: Bench, name: string, options: PullOptions): Promise<Row[]> {
  await imageFrom(bench, options.image, options.source);
  const [ours, theirs, real]: [Measured[], Measured[], Measured[]] = [[], [], []];
  for (let round = 0; round < bench.rounds; round++) {
    ours.push(await pullOnce(bench, ourPull(bench), options));
    theirs.push(await pullOnce(bench, referencePull(bench), options));
    if (bench.realReference) real.push(await pullOnce(bench, realPull(bench.realReference), options));
  }
  const { seconds, maxRssMiB } = best(ours);
  const rows = [
    ratioRow(name, { ours: seconds, other: best(theirs).seconds, goal: options.goal, memoryMiB: maxRssMiB }),
  ];
  if (bench.realReference) {
    const goal = Math.max(3, options.goal);
    rows.push(ratioRow(`${name}, against BENCH_REFERENCE`, { ours: seconds, other: best(real).seconds, goal }));
  }
  return rows;
}

function pullCase(id: string, options: PullOptions, quick = false): Case {
  return { id, quick, run: (bench) => comparePull(bench, id, options) };
}

/** Memory of our own pull alone. */
function memoryCase(image: InputName): Case {
  const id = `memory ${image}`;
  return {
    id,
    async run(bench) {
      const runs: Measured[] = [];
      const rounds = Math.min(3, bench.rounds);
      for (let round = 0; round < rounds; round++) {
        runs.push(await pullOnce(bench, ourPull(bench), { image, source: "oci", goal: 0 }));
      }
      const { seconds, maxRssMiB } = best(runs);
      return [memoryRow(id, { seconds, memoryMiB: maxRssMiB, goalMiB: 110 })];
    },
  };
}

/** The same on a file system that really syncs: ext4 in a file on the disk of the cache, mounted through a loop device. */
const ext4Case: Case = {
  id: "ext4 derived20 oci",
  async run(bench) {
    const image = await Deno.makeTempFile({ dir: Deno.env.get("TMPDIR") ?? "/var/tmp", prefix: "bench-ext4-" });
    const directory = `${bench.directory}/ext4`;
    await Deno.mkdir(directory);
    try {
      await Deno.truncate(image, 8e9);
      await run(bench.ctx, ["mkfs.ext4", "-q", "-F", image]);
      await run(bench.ctx, ["mount", "-o", "loop", image, directory]);
      try {
        return await comparePull(bench, this.id, { image: "derived20", source: "oci", goal: 1.3, directory });
      } finally {
        await new Deno.Command("umount", { args: [directory] }).output();
      }
    } finally {
      await Deno.remove(image);
    }
  },
};

const PLAIN: readonly (readonly [InputName, number, boolean])[] = [
  ["native-gzip", 1.5, true],
  ["native-zstd", 1.5, false],
  ["derived-gzip", 1.5, false],
  ["derived-zstd", 1.5, false],
  ["chunks50", 1.5, false],
  ["derived20", 1.5, true],
  ["small60", 1.5, true],
  ["files200k", 2.5, false],
];

const FALLBACKS = { BOOTC_TEST_DISABLE: "isal,direct" };

/** All pulls, in the order of the table. */
export const pullCases: readonly Case[] = [
  ...PLAIN.flatMap(([image, goal, quick]) => [
    pullCase(`${image} oci`, { image, goal, source: "oci" }, quick),
    pullCase(`${image} registry`, { image, goal, source: "registry" }),
  ]),
  pullCase("upgrade oci", { image: "derived20-next", before: "derived20", goal: 5, source: "oci" }, true),
  pullCase("upgrade registry", { image: "derived20-next", before: "derived20", goal: 5, source: "registry" }),
  pullCase("fallbacks native-gzip oci", { image: "native-gzip", goal: 1, source: "oci", env: FALLBACKS }),
  pullCase("fallbacks derived20 oci", { image: "derived20", goal: 1, source: "oci", env: FALLBACKS }),
  ext4Case,
  memoryCase("big3g"),
  memoryCase("layers200"),
];
