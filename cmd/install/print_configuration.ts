/** `bootc install print-configuration`: what an installation from here would follow. */
import type { CliContext } from "../../lib/cli/context.ts";
import { rootFlag } from "../../lib/cli/host_flags.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { readInstallConfig } from "../../lib/install/config.ts";
import { installConfigJson } from "../../lib/install/config_json.ts";
import { Root } from "../../lib/rootfs/root.ts";
import { tomlFilesOf } from "../../lib/rootfs/toml_files.ts";

export const spec = {
  summary: "Print the install configuration as JSON",
  description: [
    "The files bootc/install/*.toml of /usr/lib, /usr/local/lib, /etc and /run are merged by their names. One in a later directory " +
    "replaces one of the same name in an earlier one; of several names the last sets a value. Kernel arguments add up.",
    "Whoever makes the file systems and then calls `bootc install to-filesystem` needs the rest of it, but not the kernel arguments: " +
    "they are applied there. What no file sets is null.",
  ],
  positionals: [],
  flags: { all: { help: "Print kernel arguments too" }, root: rootFlag },
  examples: [
    {
      command: `bootc install print-configuration | jq -r '."root-fs-type"'`,
      help: "The root's file system, for a program that makes the disk",
    },
  ],
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  using root = Root.open(flags.root);
  const config = await readInstallConfig(tomlFilesOf(root), { warn: ctx.note });
  ctx.stdout.write(installConfigJson(config, flags));
}
