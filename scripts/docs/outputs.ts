/** Every file of the project that is made from the specs, the types and the prose in man/. */
import { program } from "../../cmd/tree.ts";
import { bashCompletion } from "../../lib/cli/completion/bash.ts";
import { fishCompletion } from "../../lib/cli/completion/fish.ts";
import { completionRoots } from "../../lib/cli/completion/model.ts";
import { zshCompletion } from "../../lib/cli/completion/zsh.ts";
import type { Context } from "../../lib/sys/context.ts";
import { capture } from "../../lib/sys/run.ts";
import { VERSION } from "../../lib/version.ts";
import { projectDirectory } from "../script.ts";
import { commandPages } from "./command_page.ts";
import { manualPage } from "./roff.ts";
import { hostSchema, progressSchema } from "./schemas.ts";
import { SEE_ALSO } from "./see_also.ts";

/** The text of a file by its path from the project's folder. */
export type Outputs = ReadonlyMap<string, string>;

/** Folders of which every file with one of these endings is made here: one that is not is left over. */
export const OWNED: readonly { readonly folder: string; readonly ending: RegExp }[] = [
  { folder: "man", ending: /\.[58]$/ },
  { folder: "completions", ending: /$/ },
  { folder: "docs", ending: /\.schema\.json$/ },
];

/** Makes all of them; the same sources give the same texts. */
export async function makeOutputs(ctx: Context): Promise<Outputs> {
  return new Map([...await schemas(ctx), ...await completions(), ...await manual()]);
}

async function schemas(ctx: Context): Promise<[string, string][]> {
  return [
    ["docs/host-v1.schema.json", await formatted(ctx, hostSchema())],
    ["docs/progress-v0.schema.json", await formatted(ctx, progressSchema())],
  ];
}

/** As `deno fmt` has it, which looks at the committed files too. */
async function formatted(ctx: Context, value: unknown): Promise<string> {
  const stdin = new TextEncoder().encode(JSON.stringify(value, null, 2));
  return await capture(ctx, [Deno.execPath(), "fmt", "--ext", "json", "-"], { stdin, cwd: projectDirectory });
}

async function completions(): Promise<[string, string][]> {
  const roots = await completionRoots(program);
  return [
    ["completions/bootc.bash", bashCompletion(roots)],
    ["completions/_bootc", zshCompletion(roots)],
    ["completions/bootc.fish", fishCompletion(roots)],
  ];
}

async function manual(): Promise<[string, string][]> {
  const files = await proseFiles();
  const whole = files.filter(({ markdown }) => markdown.startsWith("# "));
  const parts = files.filter((file) => !whole.includes(file));
  const prose = new Map(parts.map(({ name, markdown }) => [name, markdown]));
  const pages = [...await commandPages(program, { prose, seeAlso: SEE_ALSO }), ...whole];
  return pages.flatMap(({ name, section, markdown }) => {
    const text = manualPage(markdown, { source: `bootc ${VERSION}`, manual: "bootc" });
    const aliases = otherNames(markdown).map((alias): [string, string] => [
      `man/${alias}.${section}`,
      `.so man${section}/${name}.${section}\n`,
    ]);
    return [[`man/${name}.${section}`, text], ...aliases];
  });
}

/** `man/NAME.SECTION.md`: a whole page, or sections for the page of a command. */
async function proseFiles(): Promise<{ name: string; section: number; markdown: string }[]> {
  const found = [];
  for await (const { name } of Deno.readDir(`${projectDirectory}/man`)) {
    const parts = /^(.+)\.(\d)\.md$/.exec(name);
    if (parts === null) continue;
    const markdown = await Deno.readTextFile(`${projectDirectory}/man/${name}`);
    found.push({ name: parts[1]!, section: Number(parts[2]), markdown });
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The names under NAME beside the first: each is a page that leads here. */
function otherNames(markdown: string): string[] {
  const names = /^## NAME\n\n([^\n]*?) - /m.exec(markdown)?.[1] ?? "";
  return names.split(", ").slice(1);
}
