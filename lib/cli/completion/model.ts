/** What a shell may complete, made from the tree of commands: the same for every shell, and without what is hidden. */
import { HELP_ROW, type Row, VERSION_ROW } from "../help.ts";
import type { Program } from "../program.ts";
import {
  type CommandSpec,
  type Completion,
  type FlagSpec,
  metavarOf,
  optionName,
  type PositionalSpec,
  takesValue,
} from "../spec.ts";
import { type Group, isGroup, type TreeNode } from "../tree.ts";

/** A program, a group or a command. */
export interface CompletionNode {
  /** The words that lead here, the program's name first. */
  readonly words: readonly string[];
  readonly summary: string;
  /** Other last words that lead here: understood, but not offered. */
  readonly aliases: readonly string[];
  /** None below a command. */
  readonly commands: readonly CompletionNode[];
  readonly options: readonly CompletionOption[];
  readonly positionals: readonly CompletionPositional[];
}

/** An option. */
export interface CompletionOption {
  /** `--tag`. */
  readonly long: string;
  /** `-t`. */
  readonly short?: string;
  readonly help: string;
  /** Absent from a switch. */
  readonly value?: CompletionValue;
  readonly repeated: boolean;
  /** Long names of options that may not stand beside it, in order. */
  readonly excludes: readonly string[];
}

/** The value of an option. */
export interface CompletionValue {
  readonly metavar: string;
  readonly offers: Completion;
}

/** An argument without a name. */
export interface CompletionPositional {
  readonly help: string;
  readonly offers: Completion;
  readonly optional: boolean;
  readonly repeated: boolean;
}

const HELP = switchOf(HELP_ROW);
const VERSION = switchOf(VERSION_ROW);

/** One node for `bootc`, and one for each other name of the executable that has commands below it. Loads every command. */
export async function completionRoots({ root, callNames }: Program): Promise<CompletionNode[]> {
  const bootc = await nodeOf(["bootc"], root);
  const others = Object.entries(callNames).map(([name, { words }]) => ({ name, node: descend(root, words) }));
  const groups = others.filter((each): each is { name: string; node: Group } => each.node !== undefined);
  return [
    { ...bootc, options: [...bootc.options, VERSION] },
    ...await Promise.all(groups.map(({ name, node }) => nodeOf([name], node))),
  ];
}

function switchOf([term, help]: Row): CompletionOption {
  const [short, long] = term.split(", ") as [string, string];
  return { long, short, help, repeated: false, excludes: [] };
}

/** A node and all below it, a parent before its children. */
export function* nodesBelow(node: CompletionNode): Generator<CompletionNode> {
  yield node;
  for (const child of node.commands) yield* nodesBelow(child);
}

/** What leads to a node, with one blank between two words: its own name first, then its aliases. */
export function typedWords({ words, aliases }: CompletionNode): string[] {
  return [words.at(-1)!, ...aliases].map((name) => [...words.slice(0, -1), name].join(" "));
}

function descend(root: Group, words: readonly string[]): Group | undefined {
  let node: TreeNode | undefined = root;
  for (const word of words) node = node && isGroup(node) ? node.commands[word] : undefined;
  return node && isGroup(node) ? node : undefined;
}

async function nodeOf(words: readonly string[], node: TreeNode): Promise<CompletionNode> {
  const { summary, aliases = [] } = node;
  const common = { words, summary, aliases };
  if (!isGroup(node)) {
    const { spec } = await node.load();
    return { ...common, commands: [], options: optionsOf(spec), positionals: spec.positionals.map(positionalOf) };
  }
  const shown = Object.entries(node.commands).filter(([, child]) => !child.hidden);
  const commands = await Promise.all(shown.map(([name, child]) => nodeOf([...words, name], child)));
  return { ...common, commands, options: [HELP], positionals: [] };
}

function optionsOf({ flags }: CommandSpec): CompletionOption[] {
  const shown = Object.entries(flags).filter(([, flag]) => !flag.hidden);
  const excludes = (key: string, flag: FlagSpec) =>
    shown.filter(([other, { conflicts = [] }]) => flag.conflicts?.includes(other) || conflicts.includes(key))
      .map(([other]) => `--${optionName(other)}`);
  return [
    ...shown.map(([key, flag]) => ({
      long: `--${optionName(key)}`,
      ...(flag.short === undefined ? {} : { short: `-${flag.short}` }),
      help: flag.help,
      ...(takesValue(flag) ? { value: { metavar: metavarOf(key, flag), offers: offersOf(flag) } } : {}),
      repeated: takesValue(flag) && flag.repeated === true,
      excludes: excludes(key, flag),
    })),
    HELP,
  ];
}

function offersOf(flag: FlagSpec): Completion {
  if (flag.kind === "enum") return plainWords(flag.values);
  return flag.kind === "string" ? plainWords(flag.complete ?? "none") : "none";
}

function positionalOf({ help, complete = "none", optional, repeated }: PositionalSpec): CompletionPositional {
  return { help, offers: plainWords(complete), optional: optional === true, repeated: repeated === true };
}

/** Words go into lists that each shell splits at blanks. @throws {RangeError} when one would need quoting there */
function plainWords(offers: Completion): Completion {
  const odd = typeof offers === "string" ? undefined : offers.find((word) => !/^[\w.,+/-]+$/.test(word));
  if (odd !== undefined) throw new RangeError(`A completion must be a plain word, not ${JSON.stringify(odd)}`);
  return offers;
}
