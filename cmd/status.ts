/** `bootc status`: what the host runs, what it boots next, and where that came from. */
import { type CliContext, writeDocument } from "../lib/cli/context.ts";
import { sysrootFlag } from "../lib/cli/host_flags.ts";
import type { CommandSpec, Values } from "../lib/cli/spec.ts";
import { hostJson } from "../lib/host/document_json.ts";
import { checkFormatVersion, onlyBooted, renderHost } from "../lib/host/render.ts";
import { type HostReading, readHost } from "../lib/host/session.ts";
import { UserError } from "../lib/sys/errors.ts";

export const spec = {
  summary: "Show what the host runs and what it boots next",
  description: [
    "On a terminal as text for people, elsewhere as YAML. It only reads; --from shows a saved document, of any host.",
    "After a reboot that did not boot what was staged, it says why on standard error.",
  ],
  positionals: [],
  flags: {
    format: { kind: "enum", values: ["humanreadable", "yaml", "json"], help: "Output format" },
    json: { help: "The same as --format=json", conflicts: ["format"] },
    formatVersion: { kind: "integer", metavar: "N", help: "Version of the JSON and YAML document: 0 or 1" },
    booted: { help: "Show the booted deployment alone" },
    verbose: { short: "v", help: "Show more of each deployment" },
    from: {
      kind: "string",
      metavar: "FILE",
      complete: "file",
      conflicts: ["sysroot"],
      help: "Show the status document in FILE (- for standard input)",
    },
    sysroot: sysrootFlag,
  },
  examples: [
    { command: "bootc status --json | jq .status.booted.image.imageDigest", help: "The digest of what runs" },
    { command: "ssh HOST bootc status --json | bootc status --from -", help: "Show another host's status" },
  ],
} as const satisfies CommandSpec;

type Flags = Values<typeof spec>;

export async function run(ctx: CliContext, flags: Flags): Promise<void> {
  if (flags.formatVersion !== undefined) checkFormatVersion(flags.formatVersion);
  const reading = flags.from === undefined ? await readHost(ctx, flags) : await readDocument(ctx, flags.from);
  const shown = flags.booted ? onlyBooted(reading.host, { unbooted: reading.unbooted }) : reading.host;
  const format = flags.json ? "json" : flags.format ?? (ctx.stdoutIsTerminal ? "humanreadable" : "yaml");
  switch (format) {
    case "json":
      return writeDocument(ctx, hostJson(shown));
    case "yaml":
      return ctx.stdout.write((await import("../lib/host/document.ts")).hostYaml(shown));
    case "humanreadable":
      return ctx.stdout.write(renderHost(shown, { verbose: flags.verbose, unbooted: reading.unbooted }));
  }
}

async function readDocument(ctx: CliContext, path: string): Promise<HostReading> {
  const { parseHost } = await import("../lib/host/document.ts"); // with its YAML parser, which JSON never needs
  try {
    const bytes = path === "-" ? await ctx.readStdin() : await Deno.readFile(path);
    return { host: parseHost(bytes), unbooted: false };
  } catch (cause) {
    throw new UserError(`Cannot show "${path}"`, { cause });
  }
}
