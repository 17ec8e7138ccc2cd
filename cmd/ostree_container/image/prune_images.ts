/** `ostree container image prune-images` */
import type { CliContext } from "../../../lib/cli/context.ts";
import type { CommandSpec, Values } from "../../../lib/cli/spec.ts";
import { pruneLayers } from "../../../lib/container/gc.ts";
import { pruneAll, type Pruned, removeOtherImages } from "../../../lib/container/remove.ts";
import { deployedImages } from "../../../lib/host/deployed_images.ts";
import { formatImageReference } from "../../../lib/oci/reference.ts";
import { formatSize } from "../../../lib/oci/size.ts";
import { Sysroot } from "../../../lib/ostree/sysroot.ts";

export const spec = {
  summary: "Remove the stored images that no deployment follows",
  positionals: [],
  flags: {
    sysroot: {
      kind: "string",
      help: "The system root",
      metavar: "DIR",
      required: true,
      complete: "directory",
    },
    andLayers: { help: "Remove their layers too" },
    full: { help: "Remove layers, and the objects that nothing needs", conflicts: ["andLayers"] },
  },
  examples: [{ command: "ostree container image prune-images --sysroot / --full", help: "Free what can be freed" }],
} as const satisfies CommandSpec;

/** Says what went; holds the system root's lock. */
export async function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  using sysroot = Sysroot.open(flags.sysroot);
  using _lock = await sysroot.lock(ctx);
  using repo = sysroot.repo();
  const kept = deployedImages(sysroot);
  if (flags.full) {
    ctx.stdout.write(describe(await pruneAll(repo, kept, { signal: ctx.signal })));
    return;
  }
  const removed = removeOtherImages(repo, kept);
  if (removed.length === 0) {
    ctx.stdout.write("No unreferenced images.\n");
    return;
  }
  for (const image of removed) ctx.stdout.write(`Removed: ${formatImageReference(image)}\n`);
  if (flags.andLayers) ctx.stdout.write(`Removed layers: ${pruneLayers(repo)}\n`);
}

function describe({ images, layers, objects, bytes }: Pruned): string {
  if (images + layers + objects === 0) return "No content was pruned.\n";
  return [
    `Removed images: ${images}`,
    `Removed layers: ${layers}`,
    `Removed objects: ${objects}`,
    `Freed: ${formatSize(bytes)}`,
  ].join("\n") + "\n";
}
