/** `ostree container image clear-cached-update` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REPO_FLAG } from "../../../lib/cli/image_flags.ts";
import type { CommandSpec, Positionals, Values } from "../../../lib/cli/spec.ts";
import { cacheUpdate, requireImage } from "../../../lib/container/images.ts";
import { Repo } from "../../../lib/ostree/repo.ts";

export const spec = {
  summary: "Forget the update that the last look at the registry found",
  positionals: [IMAGE_ARGUMENT],
  flags: { repo: REPO_FLAG },
  examples: [{
    command: "ostree container image clear-cached-update --repo repo oci:os",
    help: "`bootc status` shows no update of it any more",
  }],
} as const satisfies CommandSpec;

/** Prints nothing; without a cached update this does nothing. */
export function run(_ctx: CliContext, flags: Values<typeof spec>, args: Positionals<typeof spec>): Promise<void> {
  const { image } = imageArgument(args.imgref);
  using repo = Repo.open(flags.repo);
  cacheUpdate(repo, requireImage(repo, image).commit, undefined);
  return Promise.resolve();
}
