/** `bootc container inspect`: what an image brings for the boot. */
import { type CliContext, writeDocument } from "../../lib/cli/context.ts";
import { rootfsFlag } from "../../lib/cli/rootfs_flag.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { writeYaml } from "../../lib/host/document_yaml.ts";
import { inspectRoot, renderInspection } from "../../lib/rootfs/inspect.ts";
import { Root } from "../../lib/rootfs/root.ts";

export const spec = {
  summary: "Show the kernel and the kernel arguments of a root file system",
  description: ["On a terminal as text for people, elsewhere as YAML."],
  positionals: [],
  flags: {
    rootfs: rootfsFlag,
    json: { help: "The same as --format=json", conflicts: ["format"] },
    format: { kind: "enum", values: ["humanreadable", "yaml", "json"], help: "Output format" },
  },
  examples: [
    { command: "bootc container inspect --json | jq -r .kernel.version", help: "The kernel's version" },
    { command: "bootc container inspect --rootfs ROOT", help: "A root in a directory" },
  ],
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  using root = Root.open(flags.rootfs);
  const { kargs, kernel } = await inspectRoot(root);
  const document = { kargs, kernel: kernel && { version: kernel.version, unified: kernel.unified } };
  const format = flags.json ? "json" : flags.format ?? (ctx.stdoutIsTerminal ? "humanreadable" : "yaml");
  switch (format) {
    case "json":
      return writeDocument(ctx, JSON.stringify(document, null, 2));
    case "yaml":
      return ctx.stdout.write(writeYaml(document));
    case "humanreadable":
      return ctx.stdout.write(renderInspection(document));
  }
}
