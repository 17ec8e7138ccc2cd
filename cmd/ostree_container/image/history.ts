/** `ostree container image history` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REPO_FLAG } from "../../../lib/cli/image_flags.ts";
import { printable } from "../../../lib/cli/printable.ts";
import type { CommandSpec, Positionals, Values } from "../../../lib/cli/spec.ts";
import { table } from "../../../lib/cli/table.ts";
import { historyRows } from "../../../lib/container/history.ts";
import { requireImage } from "../../../lib/container/images.ts";
import { Repo } from "../../../lib/ostree/repo.ts";

export const spec = {
  summary: "Show the layers of a stored image and how they were made",
  positionals: [IMAGE_ARGUMENT],
  flags: { repo: REPO_FLAG },
  examples: [{
    command: "ostree container image history --repo repo oci:os",
    help: "Layers, lowest first",
  }],
} as const satisfies CommandSpec;

/** The table of all layers. */
export function run(ctx: CliContext, flags: Values<typeof spec>, args: Positionals<typeof spec>): Promise<void> {
  const { image } = imageArgument(args.imgref);
  using repo = Repo.open(flags.repo);
  const { manifest, config } = requireImage(repo, image);
  const rows = historyRows(manifest, config).map(([id, size, step]) => [id, size, printable(step)]);
  ctx.stdout.write(table(["ID", "SIZE", "CREATED BY"], rows));
  return Promise.resolve();
}
