/** What a lint is: data, and a function that looks at a root and says what is wrong with it. */
import type { Root } from "../root.ts";
import type { Entry } from "../walk.ts";

/**
 * `fatal`: the image cannot be installed, or is as good as sure to fail when it runs. `warning`: it works, but not as one would want.
 */
export type LintType = "fatal" | "warning";

/** Whether the root is the one that this program runs in (as in a container build), or another. */
export type RootType = "running" | "alternative";

/** A heading, and the paths or names that it is about. */
export interface FindingList {
  readonly header: string;
  readonly items: readonly string[];
}

/** What is wrong: a sentence, or lists with at least one item. */
export type Finding = string | readonly FindingList[];

interface LintBase {
  /** As `--skip` takes it. */
  readonly name: string;
  readonly type: LintType;
  /** For `--list`: what is looked for, and why. */
  readonly description: string;
  /** The only kind of root for which it means something. */
  readonly rootType?: RootType;
}

/** A lint that looks at certain places. What it throws is a finding too. */
export interface PlaceLint extends LintBase {
  /** Undefined where nothing is wrong. @throws {UserError} @throws {SyntaxError} @throws {LibcError} @throws {Interrupted} */
  readonly check: (root: Root, signal: AbortSignal) => Finding | undefined | Promise<Finding | undefined>;
}

/** A lint that wants to see every name in the tree, in the walk that all of its kind share. */
export interface TreeLint extends LintBase {
  readonly watch: (root: Root) => Watch;
}

/** A tree lint at work. */
export interface Watch {
  readonly see: (entry: Entry) => void;
  /** Asked when the walk is over. */
  readonly finding: () => Finding | undefined;
}

export type Lint = PlaceLint | TreeLint;

/** The lists that have something in them; undefined where none has. */
export function lists(...all: readonly FindingList[]): Finding | undefined {
  const filled = all.filter(({ items }) => items.length > 0);
  return filled.length === 0 ? undefined : filled;
}
