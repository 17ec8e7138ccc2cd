/** `bootc image list`: the images that the host has. */
import { type CliContext, writeDocument } from "../../lib/cli/context.ts";
import { sysrootFlag } from "../../lib/cli/host_flags.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { table } from "../../lib/cli/table.ts";
import { hostImages } from "../../lib/host/host_images.ts";
import { canonicalJson } from "../../lib/oci/canonical_json.ts";

export const spec = {
  summary: "List the images that the host has",
  positionals: [],
  flags: {
    type: {
      kind: "enum",
      values: ["all", "logical", "host"],
      default: "all",
      help: "Which images: those hosts boot, those bound to them, or both",
    },
    format: { kind: "enum", values: ["table", "json"], default: "table", help: "Output format" },
    sysroot: sysrootFlag,
  },
  examples: [{ command: "bootc image list --format json", help: "The same for a program" }],
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  const images = flags.type === "logical" ? [] : await hostImages(ctx, flags);
  if (flags.format === "json") {
    return writeDocument(ctx, canonicalJson(images.map((image) => ({ image, image_type: "host" }))));
  }
  ctx.stdout.write(table(["REPOSITORY", "TYPE"], images.map((image) => [image, "host"])));
}
