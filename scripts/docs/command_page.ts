/** The manual pages of the commands, as Markdown from their specs: what `--help` says, in the order of a page. */
import {
  argumentRows,
  groupUsageOf,
  HELP_ROW,
  optionRows,
  type Row,
  usageOf,
  VERSION_ROW,
} from "../../lib/cli/help.ts";
import type { Program } from "../../lib/cli/program.ts";
import type { CommandSpec } from "../../lib/cli/spec.ts";
import { type Group, isGroup, type TreeNode } from "../../lib/cli/tree.ts";

/** What the pages of a program's commands are made of, beside the specs. */
export interface PageSources {
  /** Sections of prose by a page's name, as Markdown: they stand before the references. */
  readonly prose: ReadonlyMap<string, string>;
  /** References by a page's name, such as `bootc-host(5)`. */
  readonly seeAlso: Readonly<Record<string, readonly string[]>>;
}

/** A page: `bootc-upgrade(8)` and its Markdown. */
export interface Page {
  readonly name: string;
  readonly section: number;
  readonly markdown: string;
}

/** Where a page stands. */
interface Place {
  /** `bootc-image-list`. */
  readonly name: string;
  /** `bootc image list`. */
  readonly typed: string;
  /** The pages above it, the nearest first. */
  readonly above: readonly string[];
}

/** The section for commands of the administrator. */
const SECTION = 8;

/** A page for the program, for each other name of it that has commands, and for every group and command below that is not hidden. */
export async function commandPages({ root, callNames }: Program, sources: PageSources): Promise<Page[]> {
  const pages = await pagesOf(root, { name: "bootc", typed: "bootc", above: [] }, sources);
  for (const [name, { words, shown }] of Object.entries(callNames)) {
    const node = words.reduce<TreeNode | undefined>(
      (at, word) => at && isGroup(at) ? at.commands[word] : undefined,
      root,
    );
    if (node && isGroup(node)) pages.push(...await pagesOf(node, { name, typed: shown, above: [] }, sources));
  }
  return pages;
}

async function pagesOf(node: TreeNode, place: Place, sources: PageSources): Promise<Page[]> {
  if (!isGroup(node)) {
    const { spec } = await node.load();
    return [page(place, spec.summary, commandSections(place, spec, node.aliases ?? []), sources)];
  }
  const below = Object.entries(node.commands).filter(([, child]) => !child.hidden);
  const places = below.map(([name, child]) => ({
    child,
    place: { name: `${place.name}-${name}`, typed: `${place.typed} ${name}`, above: [place.name, ...place.above] },
  }));
  const sections = groupSections(place, node, places.map(({ child, place }) => ({ place, summary: child.summary })));
  const inner = await Promise.all(places.map(({ child, place }) => pagesOf(child, place, sources)));
  return [page(place, node.summary, sections, sources), ...inner.flat()];
}

/** A heading and its paragraphs; one without paragraphs is left out. */
type Section = readonly [title: string, paragraphs: readonly string[]];

function page({ name, above }: Place, summary: string, sections: readonly Section[], sources: PageSources): Page {
  const seeAlso = [...above.map((each) => `${each}(${SECTION})`), ...(sources.seeAlso[name] ?? [])];
  const all: Section[] = [
    ["NAME", [`${escape(name)} - ${escape(summary)}`]],
    ...sections,
    ["EXIT STATUS", [terms(EXIT_STATUS)]],
  ];
  const text = all.filter(([, paragraphs]) => paragraphs.length > 0)
    .map(([title, paragraphs]) => `## ${title}\n\n${paragraphs.join("\n\n")}\n`);
  const prose = sources.prose.get(name);
  const references = seeAlso.map((each) => each.replace(/^(.*)(\(\d\))$/, "**$1**$2")).join(", ");
  return {
    name,
    section: SECTION,
    markdown: [
      `# ${name}(${SECTION})\n`,
      ...text,
      ...(prose === undefined ? [] : [prose]),
      ...(references === "" ? [] : [`## SEE ALSO\n\n${references}\n`]),
    ].join("\n"),
  };
}

function commandSections({ typed }: Place, spec: CommandSpec, aliases: readonly string[]): Section[] {
  const above = typed.slice(0, typed.lastIndexOf(" "));
  return [
    ["SYNOPSIS", [synopsis(usageOf(typed, spec), typed)]],
    ["DESCRIPTION", [
      ...(spec.description ?? [`${spec.summary}.`]).map(prose),
      ...(aliases.length === 0 ? [] : [`Also: ${aliases.map((alias) => `**${above} ${alias}**`).join(", ")}.`]),
    ]],
    ["ARGUMENTS", listOf(argumentRows(spec))],
    ["OPTIONS", listOf(optionRows(spec))],
    ["EXAMPLES", (spec.examples ?? []).map(({ command, help }) => `${prose(help)}:\n\n    ${command}`)],
  ];
}

function groupSections(
  { name, typed }: Place,
  { summary, description = [`${summary}.`] }: Group,
  commands: readonly { place: Place; summary: string }[],
): Section[] {
  const rows = commands.map(({ place, summary }) =>
    [
      `**${place.typed.slice(typed.length + 1)}**`,
      `${prose(summary)}. See **${place.name}**(${SECTION}).`,
    ] as const
  );
  return [
    ["SYNOPSIS", [synopsis(groupUsageOf(typed), typed)]],
    ["DESCRIPTION", description.map(prose)],
    ["COMMANDS", rows.length === 0 ? [] : [terms(rows)]],
    ["OPTIONS", listOf(name === "bootc" ? [HELP_ROW, VERSION_ROW] : [HELP_ROW])],
  ];
}

const EXIT_STATUS: readonly Row[] = [
  ["**0**", "Done; also where there was nothing to do."],
  [
    "**1**",
    "It failed. Standard error says what was being done, why it failed and, where that helps, what to do next.",
  ],
  ["**2**", "The command line was wrong, and nothing was done."],
  ["**130**", "A signal interrupted it."],
];

function listOf(rows: readonly Row[]): string[] {
  return rows.length === 0 ? [] : [terms(rows.map(([term, help]) => [markUp(term.trim()), prose(help)]))];
}

/** A list of terms, each an item of two paragraphs. */
function terms(rows: readonly Row[]): string {
  return rows.map(([term, meaning]) => `- ${term}\n\n  ${meaning}`).join("\n\n");
}

/** `Usage: bootc switch [OPTIONS] <TARGET>` without its first word. */
function synopsis(usage: string, typed: string): string {
  return `**${typed}** ${markUp(usage.slice("Usage: ".length + typed.length + 1))}`;
}

/** Options are bold, what stands for something else is italic. */
function markUp(term: string): string {
  return escape(term)
    .replaceAll(/(?<![\w-])--?[A-Za-z][\w-]*/g, "**$&**")
    .replaceAll(/(?<=[<[])[A-Z][A-Z_-]*(?=\\?[>\]])/g, "*$&*");
}

/** A text of a spec: what stands in backquotes stays code, options become bold, and nothing else is Markdown. */
function prose(text: string): string {
  return text.split("`").map((piece, index) => index % 2 === 1 ? `\`${piece}\`` : markUp(piece)).join("");
}

function escape(text: string): string {
  return text.replaceAll(/[\\*_<>[\]#&~]/g, "\\$&");
}
