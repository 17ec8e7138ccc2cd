/** `ostree container image remove` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REPO_FLAG } from "../../../lib/cli/image_flags.ts";
import type { CommandSpec, Positionals, Values } from "../../../lib/cli/spec.ts";
import { pruneLayers } from "../../../lib/container/gc.ts";
import { removeImages } from "../../../lib/container/remove.ts";
import { Repo } from "../../../lib/ostree/repo.ts";

export const spec = {
  summary: "Remove stored images and the layers that none needs any more",
  description: [
    "Where one of the images is not stored, nothing is removed. Objects go with the next `ostree prune`, or when a host is cleaned up.",
  ],
  positionals: [{ ...IMAGE_ARGUMENT, name: "imgrefs", repeated: true }],
  flags: { repo: REPO_FLAG, skipGc: { help: "Keep the layers" } },
  examples: [{
    command: "ostree container image remove --repo repo oci:old",
    help: "The image and its layers",
  }],
} as const satisfies CommandSpec;

/** Says how many images and layers went. */
export function run(ctx: CliContext, flags: Values<typeof spec>, args: Positionals<typeof spec>): Promise<void> {
  const images = args.imgrefs.map((text) => imageArgument(text).image);
  using repo = Repo.open(flags.repo);
  removeImages(repo, images);
  const layers = flags.skipGc ? "" : ` layers: ${pruneLayers(repo)}`;
  ctx.stdout.write(`Removed images: ${images.length}${layers}\n`);
  return Promise.resolve();
}
