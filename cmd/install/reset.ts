/** `bootc install reset` */
import type { CliContext } from "../../lib/cli/context.ts";
import { UsageError } from "../../lib/cli/errors.ts";
import { imageArgument } from "../../lib/cli/image_flags.ts";
import { installFlags } from "../../lib/cli/install_flags.ts";
import { withProgress } from "../../lib/cli/progress_view.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { describePlan } from "../../lib/container/plan.ts";
import { fetchImage } from "../../lib/host/fetch.ts";
import { applyNow } from "../../lib/host/reboot.ts";
import { HostSession, inOwnNamespace } from "../../lib/host/session.ts";
import { ostreeImage } from "../../lib/host/spec_image.ts";
import { currentImage, trackedImage } from "../../lib/host/update.ts";
import { droppedLines } from "../../lib/host/words.ts";
import { resetHost } from "../../lib/install/reset.ts";
import type { OstreeImageReference } from "../../lib/oci/reference.ts";
import { requireSignaturePolicy } from "../../lib/skopeo/policy.ts";
import { UserError } from "../../lib/sys/errors.ts";

export const spec = {
  summary: "Stage the host's image as if it were newly installed",
  description: [
    "The image that runs, or another one, is staged in a new stateroot: with an /etc as the image has it, and an empty /var. " +
    "What runs now stays with its own /etc and /var, and can be booted again.",
  ],
  positionals: [],
  flags: {
    experimental: { help: "Say that you know that this command may change" },
    targetImgref: {
      ...installFlags.targetImgref,
      help: "The image to install and to follow; the one that runs when not given",
    },
    targetTransport: installFlags.targetTransport,
    enforceContainerSigpolicy: installFlags.enforceContainerSigpolicy,
    targetNoSignatureVerification: installFlags.targetNoSignatureVerification,
    stateroot: { kind: "string", metavar: "NAME", help: "The new stateroot; state-YEAR-SERIAL when not given" },
    apply: { help: "Reboot into it now" },
    noRootKargs: { help: "Take over no kernel argument that leads to the root file system" },
    karg: installFlags.karg,
    quiet: installFlags.quiet,
    verbose: installFlags.verbose,
  },
  examples: [{ command: "bootc install reset --experimental --apply", help: "Begin anew with the same image" }],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;
const DOING = "Resetting";

export async function run(ctx: CliContext, flags: Flags): Promise<void | number> {
  if (!flags.experimental) throw new UsageError("This command requires --experimental");
  const wanted = targetOf(flags);
  const request = { sysroot: undefined, doing: DOING };
  const elsewhere = await inOwnNamespace(ctx, request);
  if (elsewhere !== undefined) return elsewhere;
  using session = await HostSession.open(ctx, request);
  if (flags.enforceContainerSigpolicy) await requireSignaturePolicy("/", ctx.env);
  const reference = wanted ?? ostreeImage(trackedImage(session));
  const image = wanted ? await fetch(ctx, session, wanted, flags) : currentImage(session);
  if (!image) throw new UserError("No image source specified", { hint: "Give one with --target-imgref" });
  const stateroot = await resetHost(session, {
    image,
    reference,
    stateroot: flags.stateroot,
    inheritRoot: !flags.noRootKargs,
    kernelArguments: flags.karg,
  });
  ctx.stdout.write(`Queued for next boot: stateroot ${stateroot}\n  Digest: ${image.digest}\n`);
  await applyNow(session, { apply: flags.apply, softReboot: undefined });
}

/** @throws {UsageError} when it is no reference */
function targetOf(flags: Flags): OstreeImageReference | undefined {
  if (flags.targetImgref === undefined) return undefined;
  const reference = imageArgument(`${flags.targetTransport}:${flags.targetImgref}`);
  return flags.enforceContainerSigpolicy ? { ...reference, signature: { kind: "containerPolicy" } } : reference;
}

async function fetch(ctx: CliContext, session: HostSession, reference: OstreeImageReference, flags: Flags) {
  const { image, pulled } = await withProgress(ctx, flags, ({ context, report }) =>
    fetchImage(session, reference, {
      onNotice: context.note,
      onPlan: (plan) => ctx.stdout.write(`${describePlan(plan)}\n`),
      report,
    }));
  for (const line of droppedLines(pulled, flags.verbose)) ctx.note(line);
  return image;
}
