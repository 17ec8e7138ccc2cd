/** `bootc container lint`: what would go wrong with an image. */
import { stringify } from "@std/yaml/stringify";
import type { CliContext } from "../../lib/cli/context.ts";
import { UsageError } from "../../lib/cli/errors.ts";
import { rootfsFlag } from "../../lib/cli/rootfs_flag.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { didYouMean } from "../../lib/cli/suggest.ts";
import { count, lintReport } from "../../lib/rootfs/lint/report.ts";
import { runLints } from "../../lib/rootfs/lint/run.ts";
import { LINTS } from "../../lib/rootfs/lint/table.ts";
import { quotePath } from "../../lib/rootfs/quote.ts";
import { Root } from "../../lib/rootfs/root.ts";
import { UserError } from "../../lib/sys/errors.ts";

export const spec = {
  summary: "Check a root file system for what goes wrong in a bootable image",
  description: [
    "Put it as the last step into the build of an image. It only reads. A failed check ends it with exit code 1, a warning alone does not.",
  ],
  positionals: [],
  flags: {
    rootfs: rootfsFlag,
    fatalWarnings: { help: "End with exit code 1 on warnings too" },
    list: { help: "List all checks as YAML, and run none" },
    skip: { kind: "string", metavar: "LINT", repeated: true, help: "Leave out the check of this name" },
    noTruncate: { help: "Show all paths of a finding, not the first five" },
  },
  examples: [
    { command: "bootc container lint", help: "As the last RUN of a Containerfile" },
    {
      command: "bootc container lint --rootfs ROOT --fatal-warnings --skip var-log",
      help: "A root in a directory, strictly, but logs may stay",
    },
  ],
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  for (const name of flags.skip) requireLint(name);
  if (flags.list) return ctx.stdout.write(lintList());
  using root = Root.open(flags.rootfs);
  const rootType = await Deno.realPath(flags.rootfs) === "/" ? "running" : "alternative";
  const result = await runLints(root, LINTS, { rootType, skip: flags.skip, signal: ctx.signal });
  for (const path of result.refused) ctx.note(`warning: No permission to look into ${quotePath(`/${path}`)}`);
  ctx.stdout.write(lintReport(result, { all: flags.noTruncate }));
  const failed = flags.fatalWarnings ? result.findings.length : count(result.findings, "fatal");
  if (failed > 0) throw new UserError(`Linting: Checks failed: ${failed}`);
}

/** @throws {UsageError} */
function requireLint(name: string): void {
  const names = LINTS.map((lint) => lint.name);
  if (names.includes(name)) return;
  const nearest = didYouMean(name, names);
  throw new UsageError(`Unknown lint "${name}"`, {
    hint: nearest === undefined ? `"--list" shows all of them` : `Did you mean "${nearest}"?`,
  });
}

function lintList(): string {
  return stringify(LINTS.map(({ name, type, description, rootType }) => ({
    name,
    type,
    description,
    ...(rootType === undefined ? {} : { "root-type": rootType === "running" ? "Running" : "Alternative" }),
  })));
}
