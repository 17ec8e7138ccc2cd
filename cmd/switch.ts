/** `bootc switch`: follow another image. */
import type { CliContext } from "../lib/cli/context.ts";
import { moveFlags, sysrootFlag } from "../lib/cli/host_flags.ts";
import { withProgress } from "../lib/cli/progress_view.ts";
import type { CommandSpec, Positionals, Values } from "../lib/cli/spec.ts";
import { describePlan } from "../lib/container/plan.ts";
import { type OstreeImageReference, parseImageReference, TRANSPORTS } from "../lib/oci/reference.ts";
import { fetchImage } from "../lib/host/fetch.ts";
import { mutateInPlace } from "../lib/host/mutate_in_place.ts";
import { progressSink, reportTo } from "../lib/host/progress_both.ts";
import { applyNow } from "../lib/host/reboot.ts";
import { refuseSoftReboot } from "../lib/host/soft_reboot.ts";
import { updateAdvice } from "../lib/advice/update_advice.ts";
import { HostSession, inOwnNamespace } from "../lib/host/session.ts";
import type { ImageReference } from "../lib/host/spec.ts";
import { imageText, ostreeImage, sameImage, specImage } from "../lib/host/spec_image.ts";
import { currentImage, moveHost } from "../lib/host/update.ts";
import { droppedLines, queuedText } from "../lib/host/words.ts";
import { requireSignaturePolicy } from "../lib/skopeo/policy.ts";

export const spec = {
  summary: "Follow another image and queue it for the next boot",
  description: [
    "Fetches the image, queues it for the next boot, and makes it the one that `bootc upgrade` looks at from then on. " +
    "/etc and /var stay; `bootc rollback` leads back to the image before.",
  ],
  positionals: [{ name: "target", help: "Image to follow: a name, or what the transport takes", complete: "image" }],
  flags: {
    ...moveFlags,
    transport: {
      kind: "string",
      default: "registry",
      complete: TRANSPORTS,
      help:
        "Where the image comes from: registry, oci, oci-archive, docker-archive, containers-storage, docker-daemon or dir",
    },
    enforceContainerSigpolicy: {
      help: "Require a signature as containers-policy.json(5) says, now and at each upgrade",
    },
    noSignatureVerification: { hidden: true, help: "Accepted for old scripts; this is the default" },
    retain: { help: "Keep the ref of the image that was followed so far" },
    mutateInPlace: {
      hidden: true,
      help: "Change the reference in the newest deployment's origin file alone, fetch nothing",
    },
    sysroot: sysrootFlag,
  },
  examples: [
    { command: "bootc switch quay.io/example/os:next", help: "Follow another image" },
    { command: "bootc switch --transport oci /mnt/usb/os", help: "Take it from a directory" },
  ],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;
const DOING = "Switching";

export async function run(ctx: CliContext, flags: Flags, { target }: Positionals<typeof spec>): Promise<void | number> {
  const reference = targetReference(target, flags);
  if (flags.mutateInPlace) return await mutate(ctx, reference, flags);
  const request = { sysroot: flags.sysroot, doing: DOING };
  const elsewhere = await inOwnNamespace(ctx, request);
  if (elsewhere !== undefined) return elsewhere;
  refuseSoftReboot(flags);
  using session = await HostSession.open(ctx, request);
  await switchTo(ctx, session, specImage(reference), flags);
}

/** @throws {SyntaxError} when the transport is unknown or the name is empty */
function targetReference(target: string, flags: Flags): OstreeImageReference {
  return {
    signature: { kind: flags.enforceContainerSigpolicy ? "containerPolicy" : "unverified" },
    image: parseImageReference(`${flags.transport}:${target}`),
  };
}

async function mutate(ctx: CliContext, reference: OstreeImageReference, { sysroot }: Flags): Promise<void> {
  const deployment = await mutateInPlace(sysroot ?? "/sysroot", reference);
  ctx.stdout.write(`Updated ${deployment} to pull from ${imageText(specImage(reference))}
`);
}

async function switchTo(ctx: CliContext, session: HostSession, target: ImageReference, flags: Flags): Promise<void> {
  if (sameImage(session.host.spec.image, target)) {
    ctx.stdout.write("Image specification is unchanged.\n");
    return;
  }
  if (flags.enforceContainerSigpolicy) await requireSignaturePolicy("/", ctx.env);
  using sink = progressSink(flags.progressFd, ctx.now);
  const before = currentImage(session)?.manifest;
  const fetched = await withProgress(ctx, flags, async (view) => {
    const report = reportTo(view.report, sink, imageText(target));
    const fetched = await fetchImage(session, ostreeImage(target), {
      onNotice: view.context.note,
      onPlan: (plan) => ctx.stdout.write(`${describePlan(plan)}\n`),
      report,
    });
    await moveHost(session, target, fetched.image, {
      sink,
      report,
      forget: !flags.retain,
      beforeQueue: async ({ commit }) => (await updateAdvice(session, commit)).forEach(view.context.note),
    });
    return fetched;
  });
  for (const line of droppedLines(fetched.pulled, flags.verbose)) ctx.note(line);
  ctx.stdout.write(queuedText(target, fetched.image, before));
  await applyNow(session, flags);
}
