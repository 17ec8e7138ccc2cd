/** Help from data: of one command, and of a name with commands below it. No line is wider than it is told. */
import { unicodeWidth } from "@std/cli/unicode-width";
import { argumentName } from "./options.ts";
import { type CommandSpec, type FlagSpec, metavarOf, optionName, type PositionalSpec, takesValue } from "./spec.ts";
import type { Group } from "./tree.ts";

/** How and for whom help is rendered. */
export interface HelpOptions {
  /** Widest line; 80 where it is not given. */
  readonly columns?: number;
  /** Other names of the command. */
  readonly aliases?: readonly string[];
}

/** A left column and what it means. */
export type Row = readonly [term: string, help: string];

const WIDEST = 80;
/** Terms longer than this push their help to the next line. */
const TERM_WIDTH = 30;

/** The option that everything has. */
export const HELP_ROW: Row = ["-h, --help", "Print help"];
/** The option that the program has beside it. */
export const VERSION_ROW: Row = ["-V, --version", "Print version"];

/** `Usage: bootc switch [OPTIONS] <TARGET>`; `path` is what a person types before the arguments. */
export function usageOf(path: string, spec: CommandSpec): string {
  const required = Object.entries(spec.flags).flatMap(([key, flag]) =>
    takesValue(flag) && flag.required ? [`--${optionName(key)} <${metavarOf(key, flag)}>`] : []
  );
  return ["Usage:", path, "[OPTIONS]", ...required, ...spec.positionals.map(positionalTerm)].join(" ");
}

/** `Usage: bootc image <COMMAND>`. */
export function groupUsageOf(path: string): string {
  return `Usage: ${path} <COMMAND>`;
}

/** The whole help of a command. */
export function commandHelp(
  path: string,
  spec: CommandSpec,
  { columns = WIDEST, aliases = [] }: HelpOptions = {},
): string {
  return page([
    wrap(spec.summary, columns),
    wrap(usageOf(path, spec), columns, "       "),
    ...(spec.description ?? []).map((paragraph) => wrap(paragraph, columns)),
    aliases.length === 0 ? [] : wrap(`Also: ${aliases.join(", ")}`, columns),
    section("Arguments", argumentRows(spec), columns),
    section("Options", optionRows(spec), columns),
    examples(spec, columns),
  ]);
}

/** The help of a group, or of the program: its commands that are not hidden. `options` are rows beside `--help`. */
export function groupHelp(
  path: string,
  group: Group,
  { columns = WIDEST, options = [] }: HelpOptions & { options?: readonly Row[] } = {},
): string {
  const commands = Object.entries(group.commands).filter(([, node]) => !node.hidden);
  return page([
    wrap(group.summary, columns),
    [groupUsageOf(path)],
    ...(group.description ?? []).map((paragraph) => wrap(paragraph, columns)),
    section("Commands", commands.map(([name, node]) => [name, node.summary]), columns),
    section("Options", [HELP_ROW, ...options], columns),
    commands.length === 0 ? [] : wrap(`Each command has help of its own: ${path} <COMMAND> --help`, columns),
  ]);
}

/** The arguments of a command. */
export function argumentRows(spec: CommandSpec): Row[] {
  return spec.positionals.map((each) => [positionalTerm(each), each.help]);
}

/** The options of a command that are not hidden; terms without a short name begin with blanks, to stand in line. */
export function optionRows(spec: CommandSpec): Row[] {
  const flags = Object.entries(spec.flags).filter(([, flag]) => !flag.hidden);
  return [...flags.map(([key, flag]) => flagRow(key, flag)), HELP_ROW];
}

function page(blocks: readonly (readonly string[])[]): string {
  return blocks.filter((block) => block.length > 0).map((block) => block.join("\n")).join("\n\n") + "\n";
}

function positionalTerm({ name, optional, repeated }: PositionalSpec): string {
  const term = optional ? `[${argumentName(name)}]` : `<${argumentName(name)}>`;
  return repeated ? `${term}...` : term;
}

function flagRow(key: string, flag: FlagSpec): Row {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const term = `${short}--${optionName(key)}`;
  if (!takesValue(flag)) return [term, flag.help];
  const notes = [
    ...(flag.kind === "enum" ? [`one of: ${flag.values.join(", ")}`] : []),
    ...(flag.default === undefined ? [] : [`default: ${flag.default}`]),
    ...(flag.repeated ? ["may be repeated"] : []),
  ];
  return [`${term} <${metavarOf(key, flag)}>`, notes.length === 0 ? flag.help : `${flag.help} (${notes.join("; ")})`];
}

function section(title: string, rows: readonly Row[], columns: number): string[] {
  if (rows.length === 0) return [];
  const fitting = rows.map(([term]) => unicodeWidth(term)).filter((width) => width <= TERM_WIDTH);
  const indent = 2 + Math.min(Math.max(...fitting, 0), Math.floor(columns / 2)) + 2;
  const lines = rows.flatMap(([term, help]) => {
    const text = wrap(help, columns - indent).map((line) => " ".repeat(indent) + line);
    const left = `  ${term}`;
    if (unicodeWidth(left) + 2 > indent || text.length === 0) return [left, ...text];
    return [left + text[0]!.slice(unicodeWidth(left)), ...text.slice(1)];
  });
  return [`${title}:`, ...lines];
}

function examples({ examples = [] }: CommandSpec, columns: number): string[] {
  if (examples.length === 0) return [];
  const lines = examples.flatMap(({ command, help }) => [
    `  ${command}`,
    ...wrap(help, columns - 6).map((line) => `      ${line}`),
  ]);
  return ["Examples:", ...lines];
}

/** Breaks at blanks; a word that is wider than a line stands alone on one. `hanging` leads the lines after the first. */
export function wrap(text: string, columns: number, hanging = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/ +/).filter((each) => each !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || unicodeWidth(longer) <= columns) {
      line = longer;
    } else {
      lines.push(line);
      line = hanging + word;
    }
  }
  return line === "" ? lines : [...lines, line];
}
