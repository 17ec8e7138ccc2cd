/** `ostree container compare` */
import type { CliContext } from "../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REGISTRY_FLAGS } from "../../lib/cli/image_flags.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { pullOptions } from "../../lib/container/pull_options.ts";
import { remoteManifest } from "../../lib/container/remote.ts";
import { compareLayers, formatLayerDifference } from "../../lib/oci/compare.ts";

export const spec = {
  summary: "Compare the layers of two images",
  description: [
    "Shows what a host that has the old image would fetch for the new one. Neither image needs to be stored.",
  ],
  positionals: [
    { ...IMAGE_ARGUMENT, name: "imgrefOld", help: "The old image" },
    { ...IMAGE_ARGUMENT, name: "imgrefNew", help: "The new image" },
  ],
  flags: REGISTRY_FLAGS,
  examples: [{
    command: "ostree container compare docker://example.com/os:41 docker://example.com/os:42",
    help: "What an update would fetch",
  }],
} as const satisfies CommandSpec;

/** Three lines; no signature is looked at. */
export async function run(ctx: CliContext, flags: Values<typeof spec>, args: Positionals<typeof spec>): Promise<void> {
  const references = [imageArgument(args.imgrefOld), imageArgument(args.imgrefNew)] as const;
  const options = pullOptions(ctx, flags);
  const before = await remoteManifest(ctx, references[0], options);
  const after = await remoteManifest(ctx, references[1], options);
  ctx.stdout.write(`${formatLayerDifference(compareLayers(before.manifest, after.manifest))}\n`);
}
