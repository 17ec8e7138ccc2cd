/** `ostree container image copy` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REPO_FLAG } from "../../../lib/cli/image_flags.ts";
import type { CommandSpec, Positionals, Values } from "../../../lib/cli/spec.ts";
import { copyImage } from "../../../lib/container/copy.ts";
import { Repo } from "../../../lib/ostree/repo.ts";

export const spec = {
  summary: "Copy a stored image from one repository to another",
  positionals: [IMAGE_ARGUMENT],
  flags: {
    srcRepo: { ...REPO_FLAG, help: "The ostree repository that has the image" },
    destRepo: { ...REPO_FLAG, help: "The ostree repository that gets it" },
  },
  examples: [{
    command: "ostree container image copy --src-repo a --dest-repo b oci:os",
    help: "Refs and objects, without the registry",
  }],
} as const satisfies CommandSpec;

/** Prints nothing. */
export async function run(ctx: CliContext, flags: Values<typeof spec>, args: Positionals<typeof spec>): Promise<void> {
  const { image } = imageArgument(args.imgref);
  using from = Repo.open(flags.srcRepo);
  using to = Repo.open(flags.destRepo);
  await copyImage(from, to, image, { signal: ctx.signal });
}
