import { assert, assertEquals } from "@std/assert";
import { program } from "../../cmd/tree.ts";
import { commandsOf } from "../../lib/cli/program.ts";
import { isGroup, type TreeNode } from "../../lib/cli/tree.ts";
import { VERSION } from "../../lib/version.ts";
import { bootc } from "./bootc.ts";
import { hasTool } from "./shells.ts";

const MAN = new URL("../../man/", import.meta.url).pathname;

/** A command or a group that is shown to people, and its page. */
interface Shown {
  readonly page: string;
  readonly words: readonly string[];
  readonly node: TreeNode;
}

/** The names that people type, and the words that they stand for. */
const NAMES = [
  { name: "bootc", words: [] },
  { name: "ostree-container", words: ["internals", "ostree-container"] },
];

async function shownCommands(): Promise<Shown[]> {
  const shown: Shown[] = [];
  for (const { name, words } of NAMES) {
    const top = words.reduce<TreeNode>((node, word) => isGroup(node) ? node.commands[word]! : node, program.root);
    assert(isGroup(top));
    shown.push({ page: name, words, node: top });
    const hidden: string[] = [];
    for await (const { words: below, node } of commandsOf(top)) {
      const page = [name, ...below].join("-");
      if (node.hidden) hidden.push(`${page}-`);
      if (node.hidden || hidden.some((start) => page.startsWith(start))) continue;
      shown.push({ page, words: [...words, ...below], node });
    }
  }
  return shown;
}

const commands = await shownCommands();
const pages = [...Deno.readDirSync(MAN)].map(({ name }) => name).filter((name) => /\.[58]$/.test(name)).sort();
const texts = new Map(pages.map((name) => [name, Deno.readTextFileSync(MAN + name)]));

/** A term and what it means. */
type Row = [term: string, meaning: string];

/** The rows below a title of `--help`, with what was wrapped put together again. */
function helpRows(help: string, title: string): Row[] {
  const block = help.split("\n\n").find((each) => each.startsWith(`${title}:\n`)) ?? "";
  const rows: Row[] = [];
  for (const line of block.split("\n").slice(1)) {
    const [, term, meaning] = /^ {2,6}(\S.*?)(?: {2,}(\S.*))?$/.exec(line) ?? [];
    if (term !== undefined && /^ {2,6}\S/.test(line)) rows.push([term, meaning ?? ""]);
    else rows.at(-1)![1] += ` ${line.trim()}`;
  }
  return rows.map(([term, meaning]) => [term, meaning.trim()]);
}

/** The rows below a section of a page: the terms of its tagged paragraphs. */
function pageRows(roff: string, title: string): Row[] {
  const section = roff.split(/^\.SH /m).find((each) => each.startsWith(`"${title}"\n`)) ?? "";
  return section.split("\n.TP\n").slice(1).map((each) => {
    const [term, ...meaning] = plain(each).trim().split("\n");
    return [term!, meaning.join(" ")];
  });
}

function plain(roff: string): string {
  const characters: Record<string, string> = { "(aq": "'", "(ga": "`", "(ha": "^", "(ti": "~", "-": "-", e: "\\" };
  return roff.replaceAll(/\\(?:f[BIR]|&)/g, "").replaceAll(
    /\\(\((?:aq|ga|ha|ti)|-|e)/g,
    (_, name: string) => characters[name]!,
  );
}

/** Help shows code in backquotes, a page in bold. */
function unquoted(rows: readonly Row[]): Row[] {
  return rows.map(([term, meaning]) => [term, meaning.replaceAll("`", "")]);
}

for (const { page, words, node } of commands) {
  Deno.test(`${page}(8) has the options and arguments of --help, in the same words`, async () => {
    const { stdout } = await bootc(...words, "--help");
    const roff = texts.get(`${page}.8`);
    assert(roff !== undefined, `man/${page}.8 is missing: run "deno task docs"`);
    const options = helpRows(stdout, "Options");
    assert(options.length > 0, stdout);
    assertEquals(pageRows(roff, "OPTIONS"), unquoted(options));
    assertEquals(pageRows(roff, "ARGUMENTS"), unquoted(helpRows(stdout, "Arguments")));
    assertEquals(
      pageRows(roff, "COMMANDS").map(([term]) => term),
      helpRows(stdout, "Commands").map(([term]) => term),
    );
    const [, name] = /^\.SH "NAME"\n([^]*?)\n\.SH/m.exec(roff)!;
    assertEquals(plain(name!).replaceAll("\n", " "), `${page} - ${node.summary}`);
  });

  Deno.test(`${page}(8) has all its sections`, () => {
    const titles = [...texts.get(`${page}.8`)!.matchAll(/^\.SH "(.*)"$/gm)].map(([, title]) => title!);
    const wanted = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "SEE ALSO"];
    assertEquals(wanted.filter((title) => !titles.includes(title)), []);
    if (!isGroup(node)) assert(titles.includes("EXAMPLES"), titles.join());
    assertEquals(titles.at(-1), "SEE ALSO");
  });
}

Deno.test("man/ has a page for each command that is not hidden, and no other", () => {
  const ofCommands = commands.map(({ page }) => `${page}.8`);
  const others = pages.filter((name) => !ofCommands.includes(name));
  assertEquals(ofCommands.filter((name) => !texts.has(name)), []);
  assertEquals(others, [
    "bootc-fetch-apply-updates.service.8",
    "bootc-fetch-apply-updates.timer.8",
    "bootc-host.5",
    "bootc-install-config.5",
    "bootc-kargs.d.5",
    "bootc-origin.5",
    "bootc-progress.5",
    "bootc-status-updated.path.8",
    "bootc-status-updated.target.8",
  ]);
});

for (const [name, roff] of texts) {
  const alias = /^\.so man(\d)\/(.*)\n$/.exec(roff);
  if (alias) {
    Deno.test(`man/${name} leads to a page`, () => assert(texts.has(alias[2]!)));
    continue;
  }

  Deno.test(`man/${name} refers to pages that there are, and names the version`, () => {
    const references = [...plain(roff).matchAll(/\b((?:bootc|ostree-container)[\w.-]*)\((\d)\)/g)];
    assertEquals(references.map(([, page, section]) => `${page}.${section}`).filter((each) => !texts.has(each)), []);
    assert(references.length > 0);
    assert(roff.includes(`"bootc ${VERSION}"`));
  });

  Deno.test({
    name: `man/${name} is shown without a warning`,
    ignore: !hasTool("man") || !hasTool("groff"),
    fn: async () => assertEquals(await complaints(["man", "--warnings=w", "-l", MAN + name]), ""),
  });

  Deno.test({
    name: `man/${name} passes the linter of mandoc, but for having no date`,
    ignore: !hasTool("mandoc"),
    fn: async () => {
      const lines = (await complaints(["mandoc", "-Tlint", MAN + name])).split("\n");
      assertEquals(lines.filter((line) => line !== "" && !line.includes("missing date")), []);
    },
  });
}

/** What a tool says of a page beside showing it. */
async function complaints([program, ...args]: [string, ...string[]]): Promise<string> {
  const env = { LC_ALL: "C.UTF-8", MANWIDTH: "80", MANPAGER: "cat", PATH: "/usr/bin:/bin" };
  const { stdout, stderr } = await new Deno.Command(program, { args, env, clearEnv: true, stdin: "null" }).output();
  return new TextDecoder().decode(program === "mandoc" ? stdout : stderr);
}
