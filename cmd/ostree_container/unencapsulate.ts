/** `ostree container unencapsulate` */
import type { CliContext } from "../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REGISTRY_FLAGS, REPO_FLAG } from "../../lib/cli/image_flags.ts";
import { withProgress } from "../../lib/cli/progress_view.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { ImagePull } from "../../lib/container/pull.ts";
import { pullOptions } from "../../lib/container/pull_options.ts";
import { unencapsulate } from "../../lib/container/unencapsulate.ts";
import { refArgument } from "../../lib/ostree/names.ts";
import { Repo } from "../../lib/ostree/repo.ts";

export const spec = {
  summary: "Import the ostree commit that an image carries",
  description: [
    "The commit is the one that was encapsulated, with the same checksum. An image with further layers, or with none of ostree, is refused.",
    "Without --write-ref nothing keeps the commit: the next `ostree prune` removes it.",
  ],
  positionals: [IMAGE_ARGUMENT],
  flags: {
    repo: REPO_FLAG,
    writeRef: { kind: "string", metavar: "REF", help: "Let this ostree ref point at the commit", complete: "none" },
    quiet: { help: "Show no progress" },
    ...REGISTRY_FLAGS,
  },
  examples: [{
    command: "ostree container unencapsulate --repo repo --write-ref x oci:os",
    help: "The commit, as the ref x",
  }],
} as const satisfies CommandSpec;

/** Commit point: that of `unencapsulate()`. */
export async function run(ctx: CliContext, flags: Values<typeof spec>, args: Positionals<typeof spec>): Promise<void> {
  const reference = imageArgument(args.imgref);
  const { writeRef } = flags;
  if (writeRef !== undefined) refArgument(writeRef); // refused before anything is fetched
  using repo = Repo.open(flags.repo);
  await using pull = await ImagePull.open(ctx, repo, reference, pullOptions(ctx, flags));
  const commit = await withProgress(ctx, flags, ({ report }) => unencapsulate(pull, { writeRef, report }));
  ctx.stdout.write(`Imported: ${writeRef === undefined ? "" : `${writeRef} => `}${commit}\n`);
}
