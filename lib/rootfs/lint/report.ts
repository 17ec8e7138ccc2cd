/** What lints found, as text. Names and texts of the image are in it, and a terminal obeys none of them. */
import { escapeControls } from "../../sys/controls.ts";
import type { Finding, FindingList, Lint } from "./lint.ts";
import type { LintFinding, LintResult } from "./run.ts";

/** As many items are shown of a list. */
const SHOWN_ITEMS = 5;

/** How much is shown. */
export interface ReportOptions {
  /** Every item of every list. */
  readonly all?: boolean;
}

/** One line a finding (more where it lists items), then how many lints passed, were skipped and warned. */
export function lintReport({ findings, passed, skipped }: LintResult, options: ReportOptions = {}): string {
  const warnings = count(findings, "warning");
  return [
    ...findings.map(({ lint, finding }) => {
      const label = lint.type === "fatal" ? "Failed lint" : "Lint warning";
      return `${label}: ${lint.name}: ${findingText(finding, options)}`;
    }),
    `Checks passed: ${passed}`,
    ...(skipped > 0 ? [`Checks skipped: ${skipped}`] : []),
    ...(warnings > 0 ? [`Warnings: ${warnings}`] : []),
  ].map((line) => `${line}\n`).join("");
}

/** How many findings of a type there are. */
export function count(findings: readonly LintFinding[], type: Lint["type"]): number {
  return findings.filter(({ lint }) => lint.type === type).length;
}

function findingText(finding: Finding, options: ReportOptions): string {
  if (typeof finding === "string") return escapeControls(finding);
  return finding.map((list) => listText(list, options)).join("");
}

/** A list ends with a line end of its own, so that an empty line follows it. */
function listText({ header, items }: FindingList, { all = false }: ReportOptions): string {
  const shown = all ? items : items.slice(0, SHOWN_ITEMS);
  const rest = items.length - shown.length;
  const lines = [
    `${header}:`,
    ...shown.map((item) => `  ${escapeControls(item)}`),
    ...(rest > 0 ? [`  ...and ${rest} more`] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
