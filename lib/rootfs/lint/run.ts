/** Runs lints over a root. */
import { UserError } from "../../sys/errors.ts";
import { LibcError } from "../../sys/libc.ts";
import { isRefused, type Root } from "../root.ts";
import { type Entry, walk, type WalkOptions } from "../walk.ts";
import type { Finding, Lint, RootType, TreeLint } from "./lint.ts";

/** Which lints are run. */
export interface LintOptions {
  readonly rootType: RootType;
  /** Names of lints to leave out. */
  readonly skip?: readonly string[];
  readonly signal: AbortSignal;
}

/** What a lint found. */
export interface LintFinding {
  readonly lint: Lint;
  readonly finding: Finding;
}

/** What came of it all. */
export interface LintResult {
  /** In the order of the lints. */
  readonly findings: readonly LintFinding[];
  readonly passed: number;
  /** Left out by name, or not meant for this kind of root. */
  readonly skipped: number;
  /** Directories (binary strings) that nobody could look into for want of permission. */
  readonly refused: readonly string[];
}

/** Runs those of `lints` that apply. A lint that fails to look has found something. @throws {Interrupted} */
export async function runLints(root: Root, lints: readonly Lint[], options: LintOptions): Promise<LintResult> {
  const skip = new Set(options.skip);
  const applicable = lints.filter(({ name, rootType }) =>
    !skip.has(name) && (rootType ?? options.rootType) === options.rootType
  );
  const refused: string[] = [];
  const watched = await watchTree(root, applicable.filter((lint) => "watch" in lint), {
    signal: options.signal,
    refused: (path) => refused.push(path),
  });
  const findings: LintFinding[] = [];
  for (const lint of applicable) {
    const finding = "watch" in lint ? watched.get(lint) : await trying(() => lint.check(root, options.signal));
    if (finding !== undefined) findings.push({ lint, finding });
  }
  return { findings, passed: applicable.length - findings.length, skipped: lints.length - applicable.length, refused };
}

async function watchTree(
  root: Root,
  lints: readonly TreeLint[],
  options: WalkOptions,
): Promise<Map<Lint, Finding | undefined>> {
  if (lints.length === 0) return new Map();
  const watches = lints.map((lint) => ({ lint, watch: lint.watch(root) }));
  const failures = new Map<Lint, Finding>();
  const see = (entry: Entry) => {
    for (const { lint, watch } of watches) {
      if (failures.has(lint)) continue;
      try {
        watch.see(entry);
      } catch (error) {
        if (isRefused(error)) throw error; // the walk's own affair
        failures.set(lint, failure(error));
      }
    }
  };
  await walk(root, see, options);
  return new Map(watches.map(({ lint, watch }) => [lint, failures.get(lint) ?? watch.finding()]));
}

async function trying(check: () => Finding | undefined | Promise<Finding | undefined>): Promise<Finding | undefined> {
  try {
    return await check();
  } catch (error) {
    return failure(error);
  }
}

/** A failure of the system or the image as a finding; a bug stays a bug. */
function failure(error: unknown): string {
  if (error instanceof UserError || error instanceof SyntaxError || error instanceof LibcError) return chain(error);
  throw error;
}

function chain(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${chain(error.cause)}` : error.message;
}
