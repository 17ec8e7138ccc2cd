/** `ostree container image metadata` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REPO_FLAG } from "../../../lib/cli/image_flags.ts";
import type { CommandSpec, Positionals, Values } from "../../../lib/cli/spec.ts";
import { requireImage } from "../../../lib/container/images.ts";
import { canonicalJson } from "../../../lib/oci/canonical_json.ts";
import { formatImageReference } from "../../../lib/oci/reference.ts";
import { Repo } from "../../../lib/ostree/repo.ts";
import { UserError } from "../../../lib/sys/errors.ts";

export const spec = {
  summary: "Print the manifest of a stored image, or its configuration",
  positionals: [IMAGE_ARGUMENT],
  flags: { repo: REPO_FLAG, config: { help: "Print the configuration" } },
  examples: [{
    command: "ostree container image metadata --repo repo oci:os",
    help: "The manifest, as JSON",
  }],
} as const satisfies CommandSpec;

/** One line of canonical JSON. */
export function run(ctx: CliContext, flags: Values<typeof spec>, args: Positionals<typeof spec>): Promise<void> {
  const { image } = imageArgument(args.imgref);
  using repo = Repo.open(flags.repo);
  const { manifest, config } = requireImage(repo, image);
  const shown = flags.config ? config : manifest;
  if (!shown) {
    throw new UserError(`Image "${formatImageReference(image)}" is stored without its configuration`, {
      hint: "An old program pulled it; remove it and pull it again",
    });
  }
  ctx.stdout.write(`${canonicalJson(shown.raw)}\n`);
  return Promise.resolve();
}
