/** `ostree container image prune-layers` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { REPO_FLAG } from "../../../lib/cli/image_flags.ts";
import type { CommandSpec, Values } from "../../../lib/cli/spec.ts";
import { pruneLayers } from "../../../lib/container/gc.ts";
import { Repo } from "../../../lib/ostree/repo.ts";

export const spec = {
  summary: "Remove the layers that no image or deployment needs",
  positionals: [],
  flags: { repo: REPO_FLAG },
  examples: [{ command: "ostree container image prune-layers --repo /ostree/repo", help: "On this host" }],
} as const satisfies CommandSpec;

/** Says how many layers went. */
export function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  using repo = Repo.open(flags.repo);
  ctx.stdout.write(`Removed layers: ${pruneLayers(repo)}\n`);
  return Promise.resolve();
}
