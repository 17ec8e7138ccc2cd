/**
 * `deno task bench [--quick] [CASE...]`: the compiled executable beside the routes that one would take otherwise; docs/bench.md says what
 * is measured. A CASE selects all rows whose name has it in it.
 */
import { script } from "../scripts/script.ts";
import { UserError } from "../lib/sys/errors.ts";
import { capture } from "../lib/sys/run.ts";
import { withBench } from "./bench.ts";
import { hostCases } from "./host.ts";
import { installCase } from "./install.ts";
import { mergeCase } from "./merge.ts";
import { pullCases } from "./pulls.ts";
import { rebootCase } from "./reboot.ts";
import { type Row, table } from "./table.ts";

const spec = {
  summary: "Measure the compiled executable beside the reference's way",
  positionals: [{ name: "case", help: "Part of a case's name", optional: true, repeated: true }],
  flags: {
    quick: { help: "Best of 2, and few cases" },
    list: { help: "Only list the cases" },
    rounds: { kind: "integer", min: 1, help: "How often each side runs (5)" },
  },
} as const;

const all = [...pullCases, mergeCase, installCase, rebootCase, ...hostCases];

await script(spec, async (ctx, flags, positionals) => {
  const words: readonly string[] = positionals.case ?? [];
  const chosen = all.filter(({ id, quick }) => {
    return words.length > 0 ? words.some((word) => id.includes(word)) : quick || !flags.quick;
  });
  if (chosen.length === 0) throw new UserError(`No case is called "${words.join(" ")}"`, { hint: "See --list" });
  if (flags.list) return console.log(chosen.map(({ id }) => id).join("\n"));
  if (Deno.uid() !== 0) {
    throw new UserError("The benchmark writes repositories in mode bare, for which it has to be root");
  }
  const rounds = flags.rounds ?? (flags.quick ? 2 : 5);
  const versions = await capture(ctx, [
    "sh",
    "-c",
    "uname -rm; nproc; ostree --version | sed -n 2,3p; skopeo --version",
  ]);
  console.log(versions.trim().split(/\s*\n\s*/).join(", ") + `, best of ${rounds}\n`);
  await withBench(ctx, { rounds }, async (bench) => {
    const rows: Row[] = [];
    for (const { id, run } of chosen.map((each) => ({ id: each.id, run: () => each.run(bench) }))) {
      try {
        const more = await run();
        rows.push(...more);
        for (const row of more) console.error(`bench: ${row.name}: ${row.result} (${row.goal})`);
      } catch (error) {
        ctx.signal.throwIfAborted();
        console.error(`bench: ${id} could not be measured: ${error instanceof Error ? error.message : error}`);
        rows.push({ name: id, ours: "", other: "", result: "failed", goal: "", met: false, memory: "" });
      }
    }
    console.log(table(rows));
  });
});
