/**
 * From a command line to typed values. `@std/cli/parse-args` collects them, but sees only what `tokens.ts` let through: by itself it takes
 * unknown options, reads `--apply=no` as true, swallows a `true` behind a switch, and gives "" for a missing value.
 */
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "./errors.ts";
import { type CommandSpec, metavarOf, optionName, type PositionalSpec, takesValue, type ValueFlag } from "./spec.ts";
import { didYouMean } from "./suggest.ts";
import { type GivenOption, tokenize, type Tokens } from "./tokens.ts";

/** What came of a command line: the values that `Values` and `Positionals` of `spec.ts` type. */
export interface Parsed {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly positionals: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** @throws {UsageError} unless the command line is exactly what the spec allows */
export function parse(spec: CommandSpec, argv: readonly string[]): Parsed | "help" {
  const tokens = tokenize(spec, argv);
  if (tokens.help) return "help";
  const collected = collect(spec, tokens);
  refuseConflicts(spec, tokens.options);
  const flags: Record<string, unknown> = {};
  for (const [key, flag] of Object.entries(spec.flags)) {
    flags[key] = takesValue(flag) ? valueOf(key, flag, collected[key], tokens.options) : collected[key] === true;
  }
  return { flags, positionals: assign(spec.positionals, collected._.map(String)) };
}

function collect(spec: CommandSpec, { options, rest }: Tokens) {
  const keysOf = (want: (flag: ValueFlag) => boolean) =>
    Object.entries(spec.flags).flatMap(([key, flag]) => takesValue(flag) && want(flag) ? [key] : []);
  const words = [...options].flatMap(([key, { values }]) =>
    values.length === 0 ? [`--${key}`] : values.map((value) => `--${key}=${value}`)
  );
  return parseArgs([...words, "--", ...rest], {
    boolean: Object.entries(spec.flags).filter(([, flag]) => !takesValue(flag)).map(([key]) => key),
    string: [...keysOf(() => true), "_"],
    collect: keysOf((flag) => flag.repeated === true),
  });
}

function refuseConflicts(spec: CommandSpec, given: ReadonlyMap<string, GivenOption>): void {
  for (const [key, option] of given) {
    for (const other of spec.flags[key]?.conflicts ?? []) {
      const second = given.get(other);
      if (second) throw new UsageError(`Option "${option.typed}" cannot be used with "${second.typed}"`);
    }
  }
}

function valueOf(
  key: string,
  flag: ValueFlag,
  collected: unknown,
  given: ReadonlyMap<string, GivenOption>,
): unknown {
  const typed = given.get(key)?.typed;
  if (typed === undefined) {
    if (flag.required) throw new UsageError(`Option "--${optionName(key)} <${metavarOf(key, flag)}>" is required`);
    return flag.repeated ? [] : flag.default;
  }
  if (flag.repeated) return (collected as readonly string[]).map((text) => convert(typed, flag, text));
  return convert(typed, flag, collected as string);
}

function convert(typed: string, flag: ValueFlag, text: string): string | number {
  if (flag.kind === "integer") return integer(typed, text, flag);
  if (flag.kind === "enum" && !flag.values.includes(text)) {
    const nearest = didYouMean(text, flag.values);
    throw new UsageError(`Option "${typed}" takes ${alternatives(flag.values)}, not "${text}"`, {
      hint: nearest === undefined ? undefined : `Did you mean "${nearest}"?`,
    });
  }
  return text;
}

function integer(
  typed: string,
  text: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number },
) {
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  throw new UsageError(`Option "${typed}" takes a whole number ${range}, not "${text}"`);
}

/** `"a"`, `"a" or "b"`, `"a", "b" or "c"`. */
function alternatives(values: readonly string[]): string {
  const quoted = values.map((value) => `"${value}"`);
  const last = quoted.pop() ?? "nothing";
  return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}

function assign(specs: readonly PositionalSpec[], rest: readonly string[]): Parsed["positionals"] {
  const values: Record<string, string | readonly string[] | undefined> = {};
  let at = 0;
  for (const { name, optional, repeated } of specs) {
    if (at >= rest.length && !optional) throw new UsageError(`Argument <${argumentName(name)}> is required`);
    values[name] = repeated ? rest.slice(at) : rest[at];
    at = repeated ? rest.length : at + 1;
  }
  if (at < rest.length) throw new UsageError(`Unexpected argument "${rest[at]}"`);
  return values;
}

/** `rootPath` to `ROOT_PATH`, as help and errors name a positional. */
export function argumentName(name: string): string {
  return optionName(name).replaceAll("-", "_").toUpperCase();
}
