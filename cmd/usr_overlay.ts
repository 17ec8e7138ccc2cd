/** `bootc usr-overlay`: a layer over /usr to try something in, until the next reboot. */
import type { CliContext } from "../lib/cli/context.ts";
import type { CommandSpec, Values } from "../lib/cli/spec.ts";
import { requireHost } from "../lib/host/guard.ts";
import { overlayUsr } from "../lib/host/usr_overlay.ts";

export const spec = {
  summary: "Make /usr writable until the next reboot",
  description: [
    "Lays an overlay over the booted /usr, so that programs can be installed or replaced for a test. " +
    "The deployment below stays as it is: the next reboot is without the overlay and all that was written to it, and so is every update. " +
    "What is written to /etc and /var meanwhile stays.",
  ],
  positionals: [],
  flags: {
    readOnly: {
      help:
        "Mount the overlay read-only: a mount namespace can remount it read/write for itself, and the others see no /usr that can be written to",
    },
  },
  examples: [
    { command: "bootc usr-overlay", help: "Make /usr writable" },
    {
      command: "bootc usr-overlay --read-only",
      help: "Let those alone write to it who remount it for themselves (unshare --mount)",
    },
  ],
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, { readOnly }: Values<typeof spec>): Promise<void> {
  await requireHost(ctx, { doing: "Unlocking /usr", runningOnly: true });
  ctx.stdout.write(await overlayUsr(ctx, { readOnly }));
}
