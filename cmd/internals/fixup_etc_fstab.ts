/** `bootc internals fixup-etc-fstab`: run once by the unit that the generator makes. */
import type { CliContext } from "../../lib/cli/context.ts";
import { rootFlag } from "../../lib/cli/host_flags.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { editFstab } from "../../lib/host/fstab.ts";

export const spec = {
  summary: "Mount / read-only in /etc/fstab",
  description: [
    "Adds the option ro to the line for / and says so in a comment above it. bootc-fstab-edit.service runs it on hosts " +
    "that Anaconda installed and whose root cannot be written; a file that has ro already is left alone.",
  ],
  positionals: [],
  flags: { root: rootFlag },
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  if (await editFstab(flags.root)) ctx.stdout.write("Updated /etc/fstab to add `ro` for `/`\n");
}
