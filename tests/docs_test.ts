/** What rots in prose: links that lead nowhere, and command lines that the program no longer takes. */
import { assertEquals } from "@std/assert";
import type { Code, Heading, Link, Nodes, Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { program } from "../cmd/tree.ts";
import { parse } from "../lib/cli/options.ts";
import { childOf, isGroup, type TreeNode } from "../lib/cli/tree.ts";
import "./libraries.ts";

const ROOT = new URL("../", import.meta.url);
const PAGES = ["README.md", ...[...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md")).sort();

function read(page: string): Root {
  return fromMarkdown(Deno.readTextFileSync(new URL(page, ROOT)));
}

/** All nodes of a kind below a node. */
function* nodesOf<Type extends Nodes["type"]>(node: Nodes, type: Type): Generator<Extract<Nodes, { type: Type }>> {
  if (node.type === type) yield node as Extract<Nodes, { type: Type }>;
  if ("children" in node) { for (const child of node.children) yield* nodesOf(child, type); }
}

function textOf(node: Nodes): string {
  if ("value" in node) return node.value;
  return "children" in node ? node.children.map(textOf).join("") : "";
}

/** The anchor that the forges give a heading. */
function anchorOf(heading: Heading): string {
  return textOf(heading).toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

/** Undefined where a link leads somewhere; addresses of the network are not asked. */
function linkProblem(page: string, { url }: Link): string | undefined {
  if (/^[a-z]+:/.test(url)) return undefined;
  const target = new URL(url, new URL(page, ROOT));
  const anchor = target.hash.slice(1);
  target.hash = "";
  try {
    const { isFile } = Deno.lstatSync(target);
    if (!isFile) return `${url}: no file`;
  } catch {
    return `${url}: not there`;
  }
  if (anchor === "") return undefined;
  const anchors = [...nodesOf(fromMarkdown(Deno.readTextFileSync(target)), "heading")].map(anchorOf);
  return anchors.includes(anchor) ? undefined : `${url}: no such heading`;
}

const TOKEN =
  /(?<comment>(?<!\S)#.*)|(?<redirect>\d*[<>]+&?\s*[^\s|;&()]+)|(?<end>[|;&()\n]+)|(?<word>(?:"[^"]*"|'[^']*'|[^\s|;&()<>"'])+)/g;

/** The commands of a shell script, each as its words: enough of the shell's grammar for documents. */
function commandsIn(script: string): string[][] {
  const commands: string[][] = [[]];
  for (const { groups } of script.replaceAll("\\\n", " ").matchAll(TOKEN)) {
    if (groups?.end !== undefined) commands.push([]);
    else if (groups?.word !== undefined) commands.at(-1)!.push(groups.word.replaceAll(/["']/g, ""));
  }
  return commands.map((words) => words.slice(words.findIndex((word) => !/^(\w+=.*|sudo)$/.test(word))));
}

/** Of a command, the words that this program gets; undefined where it is another program's. */
function ownWords([first = "", second, ...rest]: string[]): string[] | undefined {
  if (/^(.*\/)?bootc$/.test(first)) return second === undefined ? [] : [second, ...rest];
  return first === "ostree" && second === "container" ? ["internals", "ostree-container", ...rest] : undefined;
}

/** Undefined where the program would take the words. */
async function commandProblem(words: readonly string[]): Promise<string | undefined> {
  let node: TreeNode = program.root;
  let at = 0;
  while (isGroup(node)) {
    const word = words[at++] ?? "";
    if (["--help", "--version"].includes(word)) return undefined;
    const child = childOf(node, word);
    if (!child) return `${words.join(" ")}: no command "${word}"`;
    node = child.node;
  }
  const { spec } = await node.load();
  try {
    parse(spec, words.slice(at));
    return undefined;
  } catch (error) {
    return `${words.join(" ")}: ${error}`;
  }
}

function scriptsOf(page: string): string[] {
  return [...nodesOf(read(page), "code")].filter(({ lang }: Code) => lang === "sh").map(({ value }) => value);
}

for (const page of PAGES) {
  Deno.test(`${page} has links that lead somewhere`, () => {
    const problems = [...nodesOf(read(page), "link")].map((link) => linkProblem(page, link));
    assertEquals(problems.filter((problem) => problem !== undefined), []);
  });

  Deno.test(`${page} has commands that the program takes`, async () => {
    const commands = scriptsOf(page).flatMap(commandsIn).map(ownWords).filter((words) => words !== undefined);
    const problems = await Promise.all(commands.map(commandProblem));
    assertEquals(problems.filter((problem) => problem !== undefined), []);
  });
}

Deno.test("docs/index.md names every page", () => {
  const named = [...nodesOf(read("docs/index.md"), "link")].map(({ url }) => `docs/${url}`);
  assertEquals(PAGES.filter((page) => !["README.md", "docs/index.md", ...named].includes(page)), []);
});

Deno.test("commandsIn() finds the commands of a script", () => {
  assertEquals(
    commandsIn(
      `A=1 sudo bootc upgrade --quiet 3>&1 >/dev/null | jq '.a | .b' # bootc x\nbootc switch \\\n  "a b"; <(c)`,
    ),
    [["bootc", "upgrade", "--quiet"], ["jq", ".a | .b"], ["bootc", "switch", "a b"], [], ["c"], []],
  );
});

Deno.test("commandProblem() names what the program does not take", async () => {
  assertEquals(await commandProblem(["upgrade", "--check"]), undefined);
  assertEquals(await commandProblem(["image", "paint"]), `image paint: no command "paint"`);
  assertEquals(
    await commandProblem(["upgrade", "--chekc"]),
    `upgrade --chekc: UsageError: Unknown option "--chekc"`,
  );
});
