/** Merging a base and a small derived layer: the dirtrees alone, against a checkout of both and a commit of the result. */
import { imageLayout } from "../lib/container/layout.ts";
import { storedLayer } from "../lib/container/layer_commit.ts";
import { LayerMerge } from "../lib/container/merge.ts";
import { parseImageConfig } from "../lib/oci/config.ts";
import { parseManifest } from "../lib/oci/manifest.ts";
import { Repo } from "../lib/ostree/repo.ts";
import { openStore } from "../lib/ostree/store.ts";
import { Trees } from "../lib/ostree/tree.ts";
import { capture, run } from "../lib/sys/run.ts";
import { type Bench, type Case, imageFrom } from "./bench.ts";
import { measure } from "./measure.ts";
import { ourPull } from "./pulls.ts";
import { ratioRow } from "./table.ts";

/** Refs of the base and of the derived layer. */
interface Layers {
  readonly base: string;
  readonly derived: string;
}

async function layerRefs(bench: Bench, image: string): Promise<Layers> {
  const manifest = parseManifest(JSON.parse(await capture(bench.ctx, ["skopeo", "inspect", "--raw", image])));
  const config = parseImageConfig(
    JSON.parse(await capture(bench.ctx, ["skopeo", "inspect", "--raw", "--config", image])),
  );
  const { commit, derived } = imageLayout(manifest, config);
  return { base: commit!.ref, derived: derived[0]!.ref };
}

/** Seconds for one merge by dirtrees, its transaction included; and the merged root's dirtree. */
async function mergeTrees(path: string, { base, derived }: Layers): Promise<{ seconds: number; tree: string }> {
  using repo = Repo.open(path);
  const store = openStore(repo);
  const started = performance.now();
  const [lower, upper] = [base, derived].map((ref) => repo.loadCommit(repo.resolve(ref)!));
  store.begin();
  const trees = new Trees(store);
  const root = trees.root(lower!.rootTree, lower!.rootMeta);
  new LayerMerge(trees, root).apply(storedLayer(upper!));
  const tree = trees.arena.hex(trees.write(root));
  await store.commit();
  return { seconds: (performance.now() - started) / 1000, tree };
}

/** Seconds for the same by checkout and commit, and its root dirtree. */
async function checkoutAndCommit(
  bench: Bench,
  repo: string,
  layers: Layers,
): Promise<{ seconds: number; tree: string }> {
  const directory = `${repo}/tmp/merge`;
  let seconds = 0;
  for (const ref of [layers.base, layers.derived]) {
    // deno-fmt-ignore
    seconds += (await measure(bench.ctx, [
      "ostree", "checkout", `--repo=${repo}`, "--require-hardlinks", "--union", "--whiteouts", ref, directory,
    ])).seconds;
  }
  // deno-fmt-ignore
  seconds += (await measure(bench.ctx, [
    "ostree", "commit", `--repo=${repo}`, "--branch", "merged", "--no-bindings", "--timestamp=@0", "--link-checkout-speedup",
    `--tree=dir=${directory}`,
  ])).seconds;
  await run(bench.ctx, ["rm", "-rf", "--", directory]);
  using opened = Repo.open(repo);
  return { seconds, tree: opened.loadCommit(opened.resolve("merged")!).rootTree };
}

/** See the module's comment. */
export const mergeCase: Case = {
  id: "merge small-derived",
  quick: true,
  async run(bench) {
    const image = await imageFrom(bench, "small-derived", "oci");
    const repo = `${bench.directory}/merge-repo`;
    await run(bench.ctx, ["ostree", "init", `--repo=${repo}`, "--mode=bare"]);
    await measure(bench.ctx, ourPull(bench)(repo, image), bench.env);
    const layers = await layerRefs(bench, image);
    const [ours, theirs] = [[Infinity], [Infinity]];
    for (let round = 0; round < bench.rounds; round++) {
      const mine = await mergeTrees(repo, layers);
      const other = await checkoutAndCommit(bench, repo, layers);
      if (mine.tree !== other.tree) throw new Error(`The merged trees differ: ${mine.tree} and ${other.tree}`);
      ours.push(mine.seconds);
      theirs.push(other.seconds);
    }
    await run(bench.ctx, ["rm", "-rf", "--", repo]);
    return [ratioRow(this.id, { ours: Math.min(...ours), other: Math.min(...theirs), goal: 20 })];
  },
};
