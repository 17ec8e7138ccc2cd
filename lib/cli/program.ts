/** The whole program but for its edge: from words to a command, from its result to an exit code. */
import { VERSION } from "../version.ts";
import { type CliContext, color } from "./context.ts";
import { exitCodeOf, renderError, UsageError } from "./errors.ts";
import { commandHelp, groupHelp, groupUsageOf, usageOf, VERSION_ROW } from "./help.ts";
import { parse } from "./options.ts";
import type { CommandContext, CommandSpec } from "./spec.ts";
import { childOf, type Group, isGroup, nearestChild, type TreeNode } from "./tree.ts";

/** A name that the executable may be called by, which stands for the first words of a command. */
export interface CallName {
  /** Names of nodes from the root of the tree. */
  readonly words: readonly string[];
  /** What a person types for them. */
  readonly shown: string;
  /** A first word that says the same once more and may be left out: `ostree container image list` runs `ostree-container container image list`. */
  readonly repeats?: string;
}

/** What the program is made of. */
export interface Program {
  readonly root: Group;
  /** By the last part of argv[0]; every other name is `bootc` itself. */
  readonly callNames: Readonly<Record<string, CallName>>;
}

/** What is known of the command when something fails. */
interface Where {
  usage?: string;
  forgiving?: true;
}

/** A place in the tree, and what is left of the words behind it. */
interface Place {
  readonly node: TreeNode;
  /** What a person typed to come here. */
  readonly shown: string;
  /** Names from the root, without aliases. */
  readonly words: readonly string[];
  readonly rest: readonly string[];
}

/**
 * Runs one command line in this process. `args` are the words behind the program's name, which is `ctx.argv0`; `ctx.selfArgv` is how to
 * start the program without them. Errors go to stderr and become the exit code; nothing is thrown.
 */
export async function runProgram(program: Program, args: readonly string[], ctx: CliContext): Promise<number> {
  const where: Where = {};
  try {
    return await dispatch(program, args, ctx, where);
  } catch (error) {
    ctx.stderr.write(renderError(error, { color: color(ctx, "stderr") }));
    if (error instanceof UsageError) {
      ctx.stderr.write(`\n${where.usage ?? groupUsageOf("bootc")}\n\nFor more information, try '--help'.\n`);
    }
    if (where.forgiving) return 0;
    return ctx.signal.aborted ? 130 : exitCodeOf(error);
  }
}

async function dispatch(
  program: Program,
  args: readonly string[],
  ctx: CliContext,
  where: Where,
): Promise<number> {
  let place = start(program, ctx.argv0, args);
  where.usage = groupUsageOf(place.shown);
  const helpWanted = place.rest[0] === "help" && isGroup(place.node) && !childOf(place.node, "help");
  if (helpWanted) {
    place = {
      ...place,
      rest: [...place.rest.slice(1).filter((word) => !word.startsWith("-")), "--help"],
    };
  }

  while (isGroup(place.node)) {
    const [word, ...rest] = place.rest;
    where.usage = groupUsageOf(place.shown);
    const isRoot = place.node === program.root;
    if (word === undefined || word === "--help" || word === "-h") {
      const text = groupHelp(place.shown, place.node, { columns: width(ctx), options: isRoot ? [VERSION_ROW] : [] });
      (word === undefined ? ctx.stderr : ctx.stdout).write(text);
      return word === undefined ? 2 : 0;
    }
    if (isRoot && (word === "--version" || word === "-V")) {
      ctx.stdout.write(`bootc ${VERSION}\n`);
      return 0;
    }
    place = below(place, place.node, word, rest);
  }

  if (place.node.forgiving) where.forgiving = true;
  const { spec, run } = await place.node.load();
  where.usage = usageOf(place.shown, spec);
  const parsed = parse(spec, place.rest);
  if (parsed === "help") {
    ctx.stdout.write(commandHelp(place.shown, spec, { columns: width(ctx), aliases: place.node.aliases ?? [] }));
    return 0;
  }
  const own: CommandContext = { ...ctx, program, selfArgv: [...ctx.selfArgv, ...place.words, ...place.rest] };
  return await run(own, parsed.flags as never, parsed.positionals as never) ?? 0;
}

/** Where the program's own name leads, before any word was read. @throws {UsageError} */
function start(program: Program, argv0: string, args: readonly string[]): Place {
  const name = argv0.slice(argv0.lastIndexOf("/") + 1);
  const called = Object.hasOwn(program.callNames, name) ? program.callNames[name] : undefined;
  const rest = called?.repeats !== undefined && args[0] === called.repeats ? args.slice(1) : args;
  let place: Place = { node: program.root, shown: "bootc", words: [], rest };
  for (const word of called?.words ?? []) {
    if (isGroup(place.node)) place = below(place, place.node, word, rest);
  }
  return called ? { ...place, shown: called.shown } : place;
}

function below(place: Place, group: Group, word: string, rest: readonly string[]): Place {
  const child = childOf(group, word);
  if (child) {
    return { node: child.node, shown: `${place.shown} ${child.name}`, words: [...place.words, child.name], rest };
  }
  if (word.startsWith("-")) throw new UsageError(`Unknown option "${word}"`);
  const nearest = nearestChild(group, word);
  throw new UsageError(`Unknown command "${word}"`, {
    hint: nearest === undefined ? undefined : `Did you mean "${nearest}"?`,
  });
}

function width(ctx: CliContext): number {
  return ctx.stdoutIsTerminal ? Math.min(80, Math.max(40, ctx.columns())) : 80;
}

/** Loads the spec behind each command of a tree, with the words that lead to it: for completions, man pages and tests. */
export async function* commandsOf(
  group: Group,
  words: readonly string[] = [],
): AsyncGenerator<{ words: readonly string[]; node: TreeNode; spec?: CommandSpec }> {
  for (const [name, node] of Object.entries(group.commands)) {
    const path = [...words, name];
    if (isGroup(node)) {
      yield { words: path, node };
      yield* commandsOf(node, path);
    } else {
      yield { words: path, node, spec: (await node.load()).spec };
    }
  }
}
