/** `bootc edit`: change the host's specification in an editor. */
import type { CliContext } from "../lib/cli/context.ts";
import { moveFlags, sysrootFlag } from "../lib/cli/host_flags.ts";
import { withProgress } from "../lib/cli/progress_view.ts";
import type { CommandSpec, Values } from "../lib/cli/spec.ts";
import { describePlan } from "../lib/container/plan.ts";
import { parseHost } from "../lib/host/document.ts";
import { editDocument } from "../lib/host/edit.ts";
import { fetchImage } from "../lib/host/fetch.ts";
import { rollBack } from "../lib/host/rollback.ts";
import { planEdit } from "../lib/host/rollback_plan.ts";
import { updateAdvice } from "../lib/advice/update_advice.ts";
import { HostSession, inOwnNamespace } from "../lib/host/session.ts";
import type { Host, ImageReference } from "../lib/host/spec.ts";
import { ostreeImage } from "../lib/host/spec_image.ts";
import { currentImage, moveHost } from "../lib/host/update.ts";
import { queuedText } from "../lib/host/words.ts";
import { UserError } from "../lib/sys/errors.ts";

export const spec = {
  summary: "Change the host's specification in an editor",
  description: [
    "Opens the status document in $EDITOR. Only its `spec` counts: another image is switched to, another boot order is set, " +
    "one of them at a time.",
  ],
  positionals: [],
  flags: {
    filename: {
      kind: "string",
      short: "f",
      metavar: "FILE",
      complete: "file",
      help: "Take the document from FILE (- for standard input) instead of an editor",
    },
    quiet: moveFlags.quiet,
    sysroot: sysrootFlag,
  },
  examples: [{ command: "bootc edit -f host.yaml", help: "Apply a document" }],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;
const DOING = "Editing spec";

export async function run(ctx: CliContext, flags: Flags): Promise<void | number> {
  const request = { sysroot: flags.sysroot, doing: DOING };
  const elsewhere = await inOwnNamespace(ctx, request);
  if (elsewhere !== undefined) return elsewhere;
  using session = await HostSession.open(ctx, request);
  const wanted = flags.filename === undefined
    ? await editDocument(ctx, session.host)
    : await readDocument(ctx, flags.filename);
  const plan = planEdit(session.host.spec, wanted.spec);
  switch (plan.kind) {
    case "unchanged":
      return ctx.stdout.write(`${plan.message}\n`);
    case "rollback":
      return ctx.stdout.write(`${(await rollBack(session)).done}\n`);
    case "switch":
      return await switchTo(ctx, session, plan.image, flags);
  }
}

async function readDocument(ctx: CliContext, path: string): Promise<Host> {
  try {
    const bytes = path === "-" ? await ctx.readStdin() : await Deno.readFile(path);
    return parseHost(bytes);
  } catch (cause) {
    throw new UserError(`Cannot read the host document "${path}"`, { cause });
  }
}

async function switchTo(ctx: CliContext, session: HostSession, target: ImageReference, flags: Flags): Promise<void> {
  const before = currentImage(session)?.manifest;
  const image = await withProgress(ctx, flags, async ({ context, report }) => {
    const { image } = await fetchImage(session, ostreeImage(target), {
      onNotice: context.note,
      onPlan: (plan) => ctx.stdout.write(`${describePlan(plan)}\n`),
      report,
    });
    await moveHost(session, target, image, {
      report,
      forget: true,
      beforeQueue: async ({ commit }) => (await updateAdvice(session, commit)).forEach(context.note),
    });
    return image;
  });
  ctx.stdout.write(queuedText(target, image, before));
}
