/** `bootc internals print-json-schema`: what other programs may rely on, in a form that they can check. */
import host from "../../docs/host-v1.schema.json" with { type: "json" };
import progress from "../../docs/progress-v0.schema.json" with { type: "json" };
import type { CliContext } from "../../lib/cli/context.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";

export const spec = {
  summary: "Print the JSON schema of a format that this program writes",
  description: [
    "The schemas are of draft 7. They allow keys that they do not name, because a later version may add some.",
  ],
  positionals: [],
  flags: {
    of: {
      kind: "enum",
      values: ["host", "progress"],
      metavar: "FORMAT",
      required: true,
      help: "The document of `bootc status`, or one line of --progress-fd",
    },
  },
  examples: [
    { command: "bootc internals print-json-schema --of host", help: "Describe what `bootc status --json` prints" },
  ],
} as const satisfies CommandSpec;

export function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  const schema = { host, progress }[flags.of];
  ctx.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  return Promise.resolve();
}
