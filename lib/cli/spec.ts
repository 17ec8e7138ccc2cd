/** A command as data: the parser, the help, completions and man pages are made from it. */
import type { CliContext } from "./context.ts";
import type { Program } from "./program.ts";

/** What a shell may offer for a value: paths, nothing, or these words, which need not be all that are taken. */
export type Completion = "file" | "directory" | "image" | "none" | readonly string[];

interface FlagBase {
  /** What it does, in the imperative, without a full stop; one sentence for a line of the help. */
  readonly help: string;
  /** One letter. */
  readonly short?: string;
  /** Accepted, but kept out of help, completions and man pages. */
  readonly hidden?: true;
  /** Keys of flags that may not stand beside it; one of the two says so. */
  readonly conflicts?: readonly string[];
  /** Other long names, without dashes, shown nowhere. */
  readonly aliases?: readonly string[];
}

/** A flag that is there or not: `--check`. */
export interface SwitchFlag extends FlagBase {
  readonly kind?: "switch";
}

interface ValueFlagBase extends FlagBase {
  /** How help names the value; the flag's own name in capitals where it is not given. */
  readonly metavar?: string;
  /** May be given again; values keep their order. */
  readonly repeated?: true;
  /** Leaving it out is a wrong command line. */
  readonly required?: true;
}

/** A flag with a text: `--tag T`. */
export interface StringFlag extends ValueFlagBase {
  readonly kind: "string";
  readonly default?: string;
  readonly complete?: Completion;
}

/** A flag with one of a few words: `--format json`. */
export interface EnumFlag extends ValueFlagBase {
  readonly kind: "enum";
  readonly values: readonly string[];
  readonly default?: string;
}

/** A flag with a whole decimal number: `--progress-fd 3`. */
export interface IntegerFlag extends ValueFlagBase {
  readonly kind: "integer";
  /** Lowest number that is taken; 0 where it is not given. */
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
}

export type ValueFlag = StringFlag | EnumFlag | IntegerFlag;
export type FlagSpec = SwitchFlag | ValueFlag;

/** An argument without a name. One that is `optional` or `repeated` comes last. */
export interface PositionalSpec {
  /** Key of its value; help shows it in capitals. */
  readonly name: string;
  readonly help: string;
  readonly optional?: true;
  /** Takes all that are left: at least one, or none where it is `optional` too. */
  readonly repeated?: true;
  readonly complete?: Completion;
}

/** A command line that works as it stands, and what it does. */
export interface Example {
  readonly command: string;
  readonly help: string;
}

/** One command. Keys of `flags` are camelCase: `downloadOnly` is `--download-only`. */
export interface CommandSpec {
  /** One line in the imperative, without a full stop. */
  readonly summary: string;
  /** Paragraphs; help wraps them. */
  readonly description?: readonly string[];
  readonly positionals: readonly PositionalSpec[];
  readonly flags: Readonly<Record<string, FlagSpec>>;
  readonly examples?: readonly Example[];
}

type One<F> = F extends { kind: "integer" } ? number
  : F extends { kind: "enum"; values: readonly (infer V)[] } ? V
  : F extends { kind: "string" } ? string
  : never;

type FlagValue<F> = F extends ValueFlag ? F extends { repeated: true } ? readonly One<F>[]
  : F extends { default: unknown } | { required: true } ? One<F>
  : One<F> | undefined
  : boolean;

/** The flags of a spec after parsing: every key is there; a switch is a boolean, what was not given and has no default undefined. */
export type Values<S extends CommandSpec> = { readonly [K in keyof S["flags"]]: FlagValue<S["flags"][K]> };

/** The positionals of a spec after parsing, by name. */
export type Positionals<S extends CommandSpec> = {
  readonly [P in S["positionals"][number] as P["name"]]: P extends { repeated: true } ? readonly string[]
    : P extends { optional: true } ? string | undefined
    : string;
};

/** The world as a command sees it, and the program that it is a part of: completions are made from that. */
export interface CommandContext extends CliContext {
  readonly program: Program;
}

/**
 * What a file of `cmd/` exports. The types of `flags` and `positionals` are those of its own spec; `never` stands for them where any
 * command is meant. A number it returns is the exit code of this same program run again (in another mount namespace), nothing else.
 */
export interface Command {
  readonly spec: CommandSpec;
  run(ctx: CommandContext, flags: never, positionals: never): Promise<void | number>;
}

/** `downloadOnly` to `download-only`. */
export function optionName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Whether a flag takes a value. */
export function takesValue(flag: FlagSpec): flag is ValueFlag {
  return flag.kind !== undefined && flag.kind !== "switch";
}

/** `<MODE>` of `--soft-reboot <MODE>`, without the angle brackets. */
export function metavarOf(key: string, flag: ValueFlag): string {
  return flag.metavar ?? optionName(key).toUpperCase();
}

/** Everything that is wrong with a spec, in words; a test asks it of every command. */
export function specProblems(spec: CommandSpec): string[] {
  const problems: string[] = [];
  const names = new Map<string, string>([["help", "the program"], ["h", "the program"]]);
  const claim = (name: string, key: string) => {
    const owner = names.get(name);
    if (owner !== undefined) problems.push(`"${name}" of ${key} belongs to ${owner}`);
    names.set(name, key);
  };
  const sentence = (text: string, what: string) => {
    if (!/^[A-Z]/.test(text) || text.endsWith(".")) problems.push(`${what}: capital first, no full stop: "${text}"`);
  };
  sentence(spec.summary, "summary");
  for (const [key, flag] of Object.entries(spec.flags)) {
    sentence(flag.help, key);
    for (const name of [optionName(key), ...(flag.aliases ?? []), ...(flag.short ? [flag.short] : [])]) {
      claim(name, key);
    }
    if (flag.short !== undefined && !/^[A-Za-z]$/.test(flag.short)) problems.push(`${key}: short is one letter`);
    for (const other of flag.conflicts ?? []) {
      if (!Object.hasOwn(spec.flags, other)) problems.push(`${key} conflicts with "${other}", which is no flag`);
    }
    if (flag.kind === "enum" && flag.default !== undefined && !flag.values.includes(flag.default)) {
      problems.push(`${key}: its default is none of its values`);
    }
  }
  for (const [index, { name, help, optional, repeated }] of spec.positionals.entries()) {
    sentence(help, name);
    const last = index === spec.positionals.length - 1;
    if (!last && repeated) problems.push(`${name}: only the last positional may be repeated`);
    if (optional && spec.positionals.slice(index + 1).some((later) => !later.optional)) {
      problems.push(`${name}: a required positional follows an optional one`);
    }
  }
  return problems;
}
