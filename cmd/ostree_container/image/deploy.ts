/** `ostree container image deploy` */
import type { CliContext } from "../../../lib/cli/context.ts";
import { UsageError } from "../../../lib/cli/errors.ts";
import { imageArgument, REGISTRY_FLAGS } from "../../../lib/cli/image_flags.ts";
import { writeOutputFile } from "../../../lib/cli/output_file.ts";
import { withProgress } from "../../../lib/cli/progress_view.ts";
import type { CommandSpec, Values } from "../../../lib/cli/spec.ts";
import { describePlan } from "../../../lib/container/plan.ts";
import { hostPullOptions } from "../../../lib/container/pull_options.ts";
import { deployImage } from "../../../lib/host/deploy.ts";
import { inOwnNamespace } from "../../../lib/host/session.ts";
import { droppedLines } from "../../../lib/host/words.ts";
import { completedKargs, markForAnaconda } from "../../../lib/install/completion.ts";
import { formatOstreeImageReference, type OstreeImageReference, TRANSPORTS } from "../../../lib/oci/reference.ts";
import { Sysroot } from "../../../lib/ostree/sysroot.ts";

export const spec = {
  summary: "Deploy an image into a system root, also as the first one",
  description: [
    "A stateroot that is not there yet is made. The image must be able to boot on this machine; one that cannot leaves the system root as it was.",
    "In a system root that does not run, the kernel arguments of the image's install configuration and kargs.d are added.",
  ],
  positionals: [],
  flags: {
    sysroot: {
      kind: "string",
      metavar: "DIR",
      complete: "directory",
      help: "The system root; that of the running host when not given",
    },
    stateroot: {
      kind: "string",
      metavar: "NAME",
      help: 'The stateroot; that of the running system when not given, else "default"',
    },
    imgref: {
      kind: "string",
      metavar: "IMGREF",
      complete: "image",
      help: "The image, as ostree-unverified-registry:NAME, oci:DIR and the like",
      conflicts: ["image", "transport"],
    },
    image: { kind: "string", metavar: "NAME", complete: "image", help: "The image's name behind --transport" },
    transport: {
      kind: "string",
      metavar: "TRANSPORT",
      complete: TRANSPORTS,
      help: 'Where --image lies; "registry" when not given',
    },
    enforceContainerSigpolicy: { help: "Let the signature policy of the system decide about the image" },
    noSignatureVerification: {
      help: "Do nothing: signatures are not demanded anyway",
      hidden: true,
      conflicts: ["enforceContainerSigpolicy"],
    },
    ostreeRemote: {
      kind: "string",
      metavar: "REMOTE",
      help: "Verify the ostree commit with the keys of this remote",
      hidden: true, // such references are refused still
      conflicts: ["enforceContainerSigpolicy", "imgref"],
    },
    targetImgref: {
      kind: "string",
      metavar: "IMGREF",
      complete: "image",
      help: "The image that the host follows from now on, where it is another one",
    },
    noImgref: { help: "Let the host follow no image; keep only the layers for a later pull" },
    karg: {
      kind: "string",
      metavar: "ARG",
      repeated: true,
      help: "A kernel argument; all but those of the image, where one is given",
    },
    writeCommitidTo: {
      kind: "string",
      metavar: "FILE",
      complete: "file",
      help: "Write the checksum of the deployed commit to FILE",
    },
    quiet: { help: "Show no progress" },
    verbose: { short: "v", help: "List the paths that the image has and an ostree tree cannot hold" },
    ...REGISTRY_FLAGS,
  },
  examples: [{
    command: "ostree container image deploy --sysroot /mnt --image example.com/os",
    help: "The first deployment of a new system",
  }],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;

/** Commit point: that of `deployImage()`. */
export async function run(ctx: CliContext, flags: Flags): Promise<void | number> {
  const reference = sourceOf(flags);
  const target = flags.targetImgref === undefined ? undefined : imageArgument(flags.targetImgref);
  const elsewhere = await inOwnNamespace(ctx, { sysroot: flags.sysroot, doing: "Deploying" });
  if (elsewhere !== undefined) return elsewhere;
  using sysroot = Sysroot.open(flags.sysroot ?? "/", { mountNamespaceInUse: flags.sysroot === undefined });
  using _lock = await sysroot.lock(ctx);
  const pull = await hostPullOptions(ctx, flags, "/");
  const { image, pulled } = await withProgress(ctx, flags, ({ context, report }) =>
    deployImage(context, sysroot, {
      reference,
      target,
      noImage: flags.noImgref,
      stateroot: flags.stateroot,
      kernelArguments: flags.karg.length === 0 ? undefined : flags.karg,
      completeKernelArguments: completedKargs,
      pull,
      report,
      onPlan: (plan) => ctx.stdout.write(`${describePlan(plan)}\n`),
      onNotice: context.note,
    }));
  for (const line of droppedLines(pulled, flags.verbose)) ctx.note(line);
  if (!sysroot.booted) await markForAnaconda("/");
  if (flags.writeCommitidTo !== undefined) await writeOutputFile(flags.writeCommitidTo, image.commit);
  ctx.stdout.write(`Deployed: ${formatOstreeImageReference(reference)} => ${image.commit}\n`);
}

/** What `--imgref`, or `--image` and its fellows, name. @throws {UsageError} */
function sourceOf(flags: Flags): OstreeImageReference {
  const { imgref, image, transport = "registry", ostreeRemote } = flags;
  if (imgref === undefined && image === undefined) throw new UsageError("Either --imgref or --image is required");
  const reference = imageArgument(imgref ?? `${transport}:${image}`);
  if (flags.enforceContainerSigpolicy) return { ...reference, signature: { kind: "containerPolicy" } };
  if (ostreeRemote !== undefined) return { ...reference, signature: { kind: "ostreeRemote", remote: ostreeRemote } };
  return reference;
}
