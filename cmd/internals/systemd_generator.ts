/** `bootc internals systemd-generator`, also by the name bootc-systemd-generator: systemd runs it at each boot, before it loads any unit. */
import type { CliContext } from "../../lib/cli/context.ts";
import { renderError } from "../../lib/cli/errors.ts";
import { printable } from "../../lib/cli/printable.ts";
import { rootFlag } from "../../lib/cli/host_flags.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { planUnits, readBootFacts } from "../../lib/host/generator.ts";
import { tellKernelLog } from "../../lib/host/kernel_log.ts";
import { writeUnits } from "../../lib/host/write_units.ts";
import { UserError } from "../../lib/sys/errors.ts";

const NAME = "bootc-systemd-generator";

export const spec = {
  summary: "Enable units for this boot, for systemd",
  description: [
    "See systemd.generator(7). On a host that was booted from an ostree deployment it enables the units that tell of changes, " +
    "and those that finish an installation. Whatever goes wrong is written to standard error and, when systemd runs it, to the " +
    "kernel's log; it leaves no half of its work, and the exit code is 0, since a boot must not fail for it.",
  ],
  positionals: [
    {
      name: "directories",
      optional: true,
      repeated: true,
      complete: "directory",
      help: "Directories for units as systemd gives them: normal, early, late; only the first is used",
    },
  ],
  flags: { root: rootFlag },
} as const satisfies CommandSpec;

export async function run(
  ctx: CliContext,
  flags: Values<typeof spec>,
  { directories }: Positionals<typeof spec>,
): Promise<void> {
  try {
    await generate(flags.root, directories);
  } catch (error) {
    // Whatever it is: nothing here is worth a boot.
    const text = renderError(error);
    ctx.stderr.write(text);
    if (ctx.env["SYSTEMD_SCOPE"] === "system") await tellKernelLog(NAME, printable(text));
  }
}

async function generate(root: string, directories: readonly string[]): Promise<void> {
  const [normal] = directories;
  if (normal === undefined || directories.length > 3) {
    throw new UserError(`Cannot generate units with ${directories.length} directories, where systemd gives 1 to 3`);
  }
  if (normal === "") throw new UserError("Cannot generate units in a directory without a name");
  const facts = await readBootFacts(root, await Deno.readTextFile("/proc/self/mountinfo"));
  try {
    await writeUnits(normal, planUnits(facts));
  } catch (cause) {
    throw new UserError(`Cannot make units in "${normal}"`, { cause });
  }
}
