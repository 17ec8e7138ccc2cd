/**
 * Markdown to the roff of man(7). Taken are headings, paragraphs, code, emphasis and lists; anything else is refused, so that no page loses
 * text. A list item of several paragraphs is a term and what it means.
 */
import type { List, ListItem, PhrasingContent, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { wrap } from "../../lib/cli/help.ts";

/** Who a page belongs to. */
export interface ManualOptions {
  /** The footer's left: the program and its version. There is no date, so that the same sources give the same page. */
  readonly source: string;
  /** The header's middle. */
  readonly manual: string;
}

/** Longest line of the source; mandoc's linter looks at it. */
const LINE_COLUMNS = 80;

/**
 * A page. The text begins with `# NAME(SECTION)`; headings of level 2 are its sections, of level 3 their parts.
 * @throws {SyntaxError} on a page without its title
 * @throws {TypeError} on Markdown that is not taken
 */
export function manualPage(markdown: string, { source, manual }: ManualOptions): string {
  const [title, ...content] = fromMarkdown(markdown).children;
  const named = title?.type === "heading" ? /^(\S+)\((\d)\)$/.exec(plainText(title.children)) : null;
  if (named === null) throw new SyntaxError(`A page must begin with "# NAME(SECTION)": ${markdown.slice(0, 60)}`);
  const [, name, section] = named;
  return [
    `.\\" Made by "deno task docs": change the command's spec or the Markdown, not this file.`,
    `.TH ${[name!.toUpperCase(), section, "", source, manual].map(argument).join(" ")}`,
    // Names of keys and files are neither broken nor pulled apart.
    ".nh",
    ".ad l",
    ...content.flatMap((node, index) => block(node, content[index - 1])),
    "",
  ].join("\n");
}

function block(node: RootContent, before: RootContent | undefined): string[] {
  switch (node.type) {
    case "heading": {
      const text = plainText(node.children);
      return node.depth === 2 ? [`.SH ${argument(text.toUpperCase())}`] : [`.SS ${argument(text)}`];
    }
    case "paragraph":
      // A heading begins a paragraph by itself.
      return [...(before?.type === "heading" ? [] : [".PP"]), ...filled(inline(node.children))];
    case "code":
      return [...(before?.type === "heading" ? [] : [".PP"]), ".in +4n", ...verbatim(node.value), ".in"];
    case "list":
      return list(node);
    default:
      throw new TypeError(`A manual page cannot hold Markdown of type "${node.type}"`);
  }
}

function verbatim(text: string): string[] {
  return [".EX", ...text.split("\n").map((line) => guarded(escaped(line))), ".EE"];
}

function list(node: List): string[] {
  return node.children.flatMap((item, index) => {
    const mark = node.ordered ? `${(node.start ?? 1) + index}.` : "\\(bu";
    return listItem(item, mark);
  });
}

function listItem({ children: [first, ...rest] }: ListItem, mark: string): string[] {
  if (first?.type !== "paragraph") throw new TypeError("A list item must begin with text");
  if (rest.length === 0) return [`.IP ${mark} 4`, ...filled(inline(first.children))];
  const [meaning, ...more] = rest;
  if (meaning?.type !== "paragraph") throw new TypeError("A term must be followed by text");
  return [
    ".TP",
    guarded(inline(first.children)),
    ...filled(inline(meaning.children)),
    ...(more.length === 0 ? [] : [".RS", ...more.flatMap((node, index) => block(node, more[index - 1])), ".RE"]),
  ];
}

function inline(nodes: readonly PhrasingContent[]): string {
  return nodes.map((node) => {
    switch (node.type) {
      case "text":
        return escaped(node.value.replaceAll("\n", " "));
      case "inlineCode":
        return `\\fB${escaped(node.value)}\\fR`;
      case "strong":
        return `\\fB${escaped(plainText(node.children))}\\fR`;
      case "emphasis":
        return `\\fI${escaped(plainText(node.children))}\\fR`;
      default:
        throw new TypeError(`A manual page cannot hold Markdown of type "${node.type}" in a line`);
    }
  }).join("");
}

function plainText(nodes: readonly PhrasingContent[]): string {
  return nodes.map((node) => {
    if (node.type === "text" || node.type === "inlineCode") return node.value.replaceAll("\n", " ");
    if (node.type === "strong" || node.type === "emphasis") return plainText(node.children);
    throw new TypeError(`A manual page cannot hold Markdown of type "${node.type}" in a line`);
  }).join("");
}

/** What groff would turn into typographic characters, though commands are copied from pages. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

function escaped(text: string): string {
  return text.replaceAll(/[\\'`^~-]/g, (character) => ESCAPES[character]!);
}

/** A line that begins like a request, and is none. */
function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

function argument(text: string | undefined): string {
  return `"${escaped(text ?? "").replaceAll('"', "\\(dq")}"`;
}

/** A sentence a line, and none too long: where a line of filled text ends makes no difference. */
function filled(text: string): string[] {
  const sentences = text.split(/(?<=[.!?]) +(?=[A-Z\\])/);
  return sentences.flatMap((sentence) => wrap(sentence, LINE_COLUMNS)).map(guarded);
}
