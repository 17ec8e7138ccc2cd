/** `bootc internals publish-rhsm-facts`: run by bootc-publish-rhsm-facts.service. */
import type { CliContext } from "../../lib/cli/context.ts";
import { rootFlag } from "../../lib/cli/host_flags.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { requireHost } from "../../lib/host/guard.ts";
import { writeRhsmFacts } from "../../lib/host/rhsm_facts.ts";
import { readHost } from "../../lib/host/session.ts";

export const spec = {
  summary: "Tell the subscription manager which images the host has",
  description: [
    "Writes /etc/rhsm/facts/bootc.facts: image, version and digest of what is booted, staged, there to go back to, and known to be available.",
  ],
  positionals: [],
  flags: { root: rootFlag },
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, { root }: Values<typeof spec>): Promise<void> {
  await requireHost(ctx, { doing: "Publishing facts", runningOnly: true });
  const { host } = await readHost(ctx, { sysroot: undefined });
  await writeRhsmFacts(root, host.status);
}
