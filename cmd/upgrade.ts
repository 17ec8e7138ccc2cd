/** `bootc upgrade`: the newest image of the reference that the host follows. */
import type { CliContext } from "../lib/cli/context.ts";
import { moveFlags, sysrootFlag } from "../lib/cli/host_flags.ts";
import { withProgress } from "../lib/cli/progress_view.ts";
import type { CommandSpec, Values } from "../lib/cli/spec.ts";
import { describePlan } from "../lib/container/plan.ts";
import { formatImageReference, withTag } from "../lib/oci/reference.ts";
import { checkForUpdate, launchProxy } from "../lib/host/fetch.ts";
import { applyNow } from "../lib/host/reboot.ts";
import { refuseSoftReboot } from "../lib/host/soft_reboot.ts";
import { progressSink, reportTo } from "../lib/host/progress_both.ts";
import type { ProxyLaunch } from "../lib/skopeo/copy.ts";
import { updateAdvice } from "../lib/advice/update_advice.ts";
import { HostSession, inOwnNamespace } from "../lib/host/session.ts";
import type { ImageReference } from "../lib/host/spec.ts";
import { lockStaged } from "../lib/host/staged_record.ts";
import { imageText, ostreeImage, specImage } from "../lib/host/spec_image.ts";
import { currentImage, trackedImage, updateHost } from "../lib/host/update.ts";
import { UserError } from "../lib/sys/errors.ts";
import { availableText, droppedLines, queuedText } from "../lib/host/words.ts";

export const spec = {
  summary: "Fetch the newest image and queue it for the next boot",
  description: [
    "Looks at the registry for a newer image behind the reference that the host follows, fetches the layers that are not stored yet, " +
    "and queues the result. The running system is not touched: it is entered by the next reboot, and `bootc rollback` leads back.",
  ],
  positionals: [],
  flags: {
    ...moveFlags,
    check: {
      help: "Look for an update without fetching it",
      conflicts: ["apply", "softReboot", "downloadOnly", "fromDownloaded"],
    },
    downloadOnly: {
      help: "Fetch and stage, but do not apply it at the next reboot",
      conflicts: ["apply", "softReboot", "fromDownloaded"],
    },
    fromDownloaded: { help: "Apply at the next reboot what --download-only has staged, without asking the registry" },
    tag: {
      kind: "string",
      metavar: "TAG",
      help: "Follow another tag of the same repository from now on",
      conflicts: ["fromDownloaded"],
    },
    sysroot: sysrootFlag,
  },
  examples: [
    { command: "bootc upgrade --check", help: "See whether there is an update" },
    { command: "bootc upgrade --apply", help: "Update, and reboot into it" },
  ],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;
type Launched = { readonly launched: ProxyLaunch };

export async function run(ctx: CliContext, flags: Flags): Promise<void | number> {
  const elsewhere = await inOwnNamespace(ctx, flags);
  if (elsewhere !== undefined) return elsewhere;
  refuseSoftReboot(flags);
  if (flags.fromDownloaded) return await applyDownloaded(ctx, flags);
  await using launched = await launchProxy(ctx, flags);
  using session = await HostSession.open(ctx, flags);
  const tracked = trackedImage(session);
  const target = flags.tag === undefined ? tracked : retagged(tracked, flags.tag);
  if (flags.check) return await check(ctx, session, target, { launched });
  await upgrade(ctx, session, target, { ...flags, launched });
}

function retagged(image: ImageReference, tag: string): ImageReference {
  const reference = ostreeImage(image);
  return specImage({ ...reference, image: withTag(reference.image, tag) });
}

async function applyDownloaded(ctx: CliContext, flags: Flags): Promise<void> {
  using session = await HostSession.open(ctx, flags);
  trackedImage(session);
  const locked = session.sysroot.staged?.finalizationLocked;
  await lockStaged(session, false);
  ctx.stdout.write(
    locked
      ? "Staged deployment will now be applied on reboot\n"
      : "Staged deployment is already set to apply on reboot\n",
  );
  await applyNow(session, flags);
}

async function check(
  ctx: CliContext,
  session: HostSession,
  target: ImageReference,
  { launched }: Launched,
): Promise<void> {
  const reference = ostreeImage(target);
  const name = formatImageReference(reference.image);
  const result = await checkForUpdate(session, reference, { onNotice: ctx.note, launched });
  if (result.kind === "unchanged") ctx.stdout.write(`No changes in: ${name}\n`);
  else ctx.stdout.write(availableText(name, result.update, currentImage(session)?.manifest));
}

async function upgrade(
  ctx: CliContext,
  session: HostSession,
  target: ImageReference,
  flags: Flags & Launched,
): Promise<void> {
  if (flags.downloadOnly && !session.live) {
    throw new UserError("Cannot stage an update on a system root that does not run", {
      hint: "Leave --download-only out: the update is deployed, and booted when the system is",
    });
  }
  using sink = progressSink(flags.progressFd, ctx.now);
  const before = currentImage(session)?.manifest;
  const { fetched, outcome } = await withProgress(ctx, flags, (view) =>
    updateHost(session, target, {
      locked: flags.downloadOnly,
      launched: flags.launched,
      sink,
      onNotice: view.context.note,
      onPlan: (plan) => ctx.stdout.write(`${describePlan(plan)}\n`),
      beforeQueue: async ({ commit }) => (await updateAdvice(session, commit)).forEach(view.context.note),
      report: reportTo(view.report, sink, imageText(target)),
    }));
  for (const line of droppedLines(fetched.pulled, flags.verbose)) ctx.note(line);
  if (fetched.unchanged) ctx.stdout.write(`No changes in ${imageText(target)} => ${fetched.image.digest}\n`);
  if (outcome.kind === "queued") {
    ctx.stdout.write(queuedText(target, fetched.image, before));
    if (flags.downloadOnly) ctx.stdout.write("Image downloaded, but will not be applied on reboot\n");
  } else if (outcome.kind === "current") {
    ctx.stdout.write("No update available.\n");
    return;
  } else if (outcome.lock === "set") {
    ctx.stdout.write("Image downloaded, but will not be applied on reboot\n");
  } else {
    ctx.stdout.write(
      outcome.lock === "released"
        ? "Staged deployment will now be applied on reboot\n"
        : "Staged update present, not changed\n",
    );
  }
  await applyNow(session, flags);
}
