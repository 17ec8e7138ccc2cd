/** `ostree container image pull` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { IMAGE_ARGUMENT, imageArgument, REGISTRY_FLAGS } from "../../../lib/cli/image_flags.ts";
import { writeOutputFile } from "../../../lib/cli/output_file.ts";
import { withProgress } from "../../../lib/cli/progress_view.ts";
import type { CommandSpec, Positionals, Values } from "../../../lib/cli/spec.ts";
import { describePlan } from "../../../lib/container/plan.ts";
import { ImagePull } from "../../../lib/container/pull.ts";
import { pullOptions } from "../../../lib/container/pull_options.ts";
import { labelNotices } from "../../../lib/host/bootable.ts";
import { droppedLines } from "../../../lib/host/words.ts";
import { canonicalJson } from "../../../lib/oci/canonical_json.ts";
import { compareLayers, formatLayerDifference } from "../../../lib/oci/compare.ts";
import { formatOstreeImageReference } from "../../../lib/oci/reference.ts";
import { Repo } from "../../../lib/ostree/repo.ts";

export const spec = {
  summary: "Pull an image into a repository, or update it there",
  description: [
    "Layers that are stored already are not fetched. Any image can be pulled; whether it can boot is looked at where it is deployed.",
  ],
  positionals: [
    { name: "repo", help: "The ostree repository", complete: "directory" },
    IMAGE_ARGUMENT,
  ],
  flags: {
    quiet: { help: "Show no progress" },
    verbose: { short: "v", help: "List the paths that the image has and an ostree tree cannot hold" },
    check: {
      kind: "string",
      metavar: "FILE",
      complete: "file",
      help: "Fetch no layer; write the manifest to FILE where the image is not the one that is stored",
    },
    ostreeDigestfile: {
      kind: "string",
      metavar: "FILE",
      complete: "file",
      help: "Write the checksum of the image's commit to FILE",
    },
    ...REGISTRY_FLAGS,
  },
  examples: [{
    command: "ostree container image pull repo docker://example.com/os:1",
    help: "Pull it, or what is new of it",
  }],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;

/** Ends with the commit; see `ImagePull` for the commit points. */
export async function run(ctx: CliContext, flags: Flags, args: Positionals<typeof spec>): Promise<void> {
  const reference = imageArgument(args.imgref);
  const shown = formatOstreeImageReference(reference);
  using repo = Repo.open(args.repo);
  await using pull = await ImagePull.open(ctx, repo, reference, pullOptions(ctx, flags));
  if (pull.unchanged && pull.previous) {
    await writeDigest(flags, pull.previous.commit);
    ctx.stdout.write(`No changes in ${shown} => ${pull.previous.commit}\n`);
    return;
  }
  if (flags.check !== undefined) {
    await writeOutputFile(flags.check, canonicalJson(pull.manifest.raw));
    return;
  }
  const commit = await importImage(ctx, pull, flags);
  await writeDigest(flags, commit);
  ctx.stdout.write(`Wrote: ${shown} => ${commit}\n`);
}

async function importImage(ctx: CliContext, pull: ImagePull, flags: Flags): Promise<string> {
  const prepared = await pull.prepare();
  labelNotices(prepared.image.config).forEach(ctx.note);
  if (pull.previous) {
    ctx.stdout.write(`${formatLayerDifference(compareLayers(pull.previous.manifest, pull.manifest))}\n`);
  }
  ctx.stdout.write(`${describePlan(prepared.plan)}\n`);
  const pulled = await withProgress(ctx, flags, ({ report }) => pull.import(prepared, report));
  for (const line of droppedLines(pulled, flags.verbose)) ctx.note(line);
  return pulled.image.commit;
}

async function writeDigest(flags: Flags, commit: string): Promise<void> {
  if (flags.ostreeDigestfile !== undefined) await writeOutputFile(flags.ostreeDigestfile, commit);
}
