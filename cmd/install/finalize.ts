/** `bootc install finalize` */
import type { CliContext } from "../../lib/cli/context.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { requireRoot } from "../../lib/host/guard.ts";
import { finalize } from "../../lib/install/finalize.ts";

export const spec = {
  summary: "Bring an installed file system into the state to boot from",
  description: [
    "Gives unused blocks back, empties the journal and leaves the file system read-only: the last step after changes to what " +
    "`bootc install to-filesystem --skip-finalize` made.",
  ],
  positionals: [{ name: "root", help: "Mount point of the installed root file system", complete: "directory" }],
  flags: {},
  examples: [{ command: "bootc install finalize /mnt", help: "Before it is unmounted" }],
} as const satisfies CommandSpec;

export async function run(
  ctx: CliContext,
  _flags: Values<typeof spec>,
  { root }: Positionals<typeof spec>,
): Promise<void> {
  requireRoot(ctx);
  await finalize(ctx, root);
}
