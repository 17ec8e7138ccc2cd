/** The tree of commands: names, summaries and how to load each one, but no command's own code. */
import { didYouMean } from "./suggest.ts";
import type { Command } from "./spec.ts";

interface NodeBase {
  /** One line for the list of commands; the same as the command's own summary. */
  readonly summary: string;
  /** Other names, accepted but shown only in the help of the command itself. */
  readonly aliases?: readonly string[];
  /** Accepted, but in no list. */
  readonly hidden?: true;
}

/** One command. `load` is an `import()` of a literal path, so that `deno compile` sees it and nothing is loaded before it is used. */
export interface Leaf extends NodeBase {
  /** Whatever goes wrong is said, a wrong command line too, and the exit code is 0: somebody's boot goes on from there. */
  readonly forgiving?: true;
  readonly load: () => Promise<Command>;
}

/** A name with commands below it. */
export interface Group extends NodeBase {
  /** Paragraphs for the group's own help. */
  readonly description?: readonly string[];
  readonly commands: Readonly<Record<string, Leaf | Group>>;
}

export type TreeNode = Leaf | Group;

/** Whether a node has commands below it. */
export function isGroup(node: TreeNode): node is Group {
  return "commands" in node;
}

/** A node by its name or an alias of it; undefined where there is none. */
export function childOf(group: Group, name: string): { name: string; node: TreeNode } | undefined {
  for (const [own, node] of Object.entries(group.commands)) {
    if (own === name || node.aliases?.includes(name)) return { name: own, node };
  }
  return undefined;
}

/** The name of a command that is not hidden and close to what was typed. */
export function nearestChild(group: Group, typed: string): string | undefined {
  return didYouMean(typed, Object.entries(group.commands).filter(([, node]) => !node.hidden).map(([name]) => name));
}
