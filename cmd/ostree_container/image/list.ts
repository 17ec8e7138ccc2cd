/** `ostree container image list` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { REPO_FLAG } from "../../../lib/cli/image_flags.ts";
import type { CommandSpec, Values } from "../../../lib/cli/spec.ts";
import { listImages } from "../../../lib/container/images.ts";
import { formatImageReference } from "../../../lib/oci/reference.ts";
import { Repo } from "../../../lib/ostree/repo.ts";

export const spec = {
  summary: "List the images of a repository",
  positionals: [],
  flags: { repo: REPO_FLAG },
  examples: [{ command: "ostree container image list --repo /ostree/repo", help: "What this host has" }],
} as const satisfies CommandSpec;

/** One reference a line, in the order of their refs. */
export function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  using repo = Repo.open(flags.repo);
  for (const { image } of listImages(repo)) ctx.stdout.write(`${formatImageReference(image)}\n`);
  return Promise.resolve();
}
