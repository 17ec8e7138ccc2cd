/** `ostree container info` */
import type { CliContext } from "../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REGISTRY_FLAGS } from "../../lib/cli/image_flags.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { remoteManifest } from "../../lib/container/remote.ts";
import { pullOptions } from "../../lib/container/pull_options.ts";
import { formatOstreeImageReference } from "../../lib/oci/reference.ts";

export const spec = {
  summary: "Show the digest that an image has at its registry",
  positionals: [IMAGE_ARGUMENT],
  flags: REGISTRY_FLAGS,
  examples: [{ command: "ostree container info docker://example.com/os", help: "Its digest now" }],
} as const satisfies CommandSpec;

/** One line; no signature is looked at. */
export async function run(ctx: CliContext, flags: Values<typeof spec>, args: Positionals<typeof spec>): Promise<void> {
  const reference = imageArgument(args.imgref);
  const { digest } = await remoteManifest(ctx, reference, pullOptions(ctx, flags));
  ctx.stdout.write(`${formatOstreeImageReference(reference)} digest: ${digest}\n`);
}
