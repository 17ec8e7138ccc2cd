import { assertEquals, assertRejects } from "@std/assert";
import { bashCompletion } from "../../../lib/cli/completion/bash.ts";
import { fishCompletion } from "../../../lib/cli/completion/fish.ts";
import { completionRoots, nodesBelow } from "../../../lib/cli/completion/model.ts";
import { zshCompletion } from "../../../lib/cli/completion/zsh.ts";
import type { Program } from "../../../lib/cli/program.ts";
import { small } from "./programs.ts";

const roots = await completionRoots(small);

/** The lines that are about a command. */
function linesAbout(script: string, what: RegExp): string[] {
  return script.split("\n").map((line) => line.trim()).filter((line) => what.test(line));
}

Deno.test("completionRoots() has every name of the program that leads to commands, and nothing hidden", () => {
  const words = roots.flatMap((root) => [...nodesBelow(root)]).map((node) => node.words.join(" "));
  assertEquals(words, ["bootc", "bootc fetch", "bootc deep", "bootc deep say", "other", "other say"]);
});

Deno.test("completionRoots() knows options, aliases and who excludes whom, from either side", () => {
  const fetch = roots[0]!.commands[0]!;
  assertEquals(fetch.aliases, ["get"]);
  assertEquals(fetch.options.map(({ long, short, excludes }) => [short, long, ...excludes]), [
    ["-q", "--quiet", "--format"],
    [undefined, "--format", "--quiet"],
    [undefined, "--into"],
    [undefined, "--label"],
    [undefined, "--count"],
    ["-h", "--help"],
  ]);
});

Deno.test("completionRoots() refuses words that a shell would take apart", async () => {
  const spec = {
    summary: "X",
    positionals: [{ name: "x", help: "X", complete: ["two words"] }],
    flags: {},
  };
  const odd: Program = {
    root: {
      summary: "X",
      commands: { x: { summary: "X", load: () => Promise.resolve({ spec, run: () => Promise.resolve() }) } },
    },
    callNames: {},
  };
  await assertRejects(() => completionRoots(odd), RangeError, `A completion must be a plain word, not "two words"`);
});

Deno.test("bashCompletion() has tables of commands, options and values", () => {
  const script = bashCompletion(roots);
  assertEquals(linesAbout(script, /^'bootc fetch/), [
    "'bootc fetch' | 'bootc get') path='bootc fetch' ;;",
    "'bootc fetch') commands='' options='-q --quiet --format --into --label --count -h --help' ;;",
    "'bootc fetch --format') offers='json yaml' ;;",
    "'bootc fetch --into') offers=@directory ;;",
    "'bootc fetch --label') offers=@none ;;",
    "'bootc fetch --count') offers=@none ;;",
    "'bootc fetch 1') offers=@image ;;",
    "'bootc fetch '[0-9]*) offers=@file ;;",
  ]);
  assertEquals(linesAbout(script, /^complete /), ["complete -F _bootc bootc other"]);
});

Deno.test("zshCompletion() has a function for each command", () => {
  const script = zshCompletion(roots);
  const start = script.indexOf("__bootc_fetch() {");
  assertEquals(
    script.slice(start, script.indexOf("\n\n", start)),
    String.raw`__bootc_fetch() {
  _arguments -s -S : \
    '(-q --quiet --format)'{-q,--quiet}'[Say nothing]' \
    '(--format --quiet)'--format='[Output \[format\]]:FORMAT:(json yaml)' \
    --into='[Where to]:DIR:_files -/' \
    '*'--label='[Its \\ label]:LABEL: ' \
    --count='[How many]:COUNT: ' \
    '(-h --help)'{-h,--help}'[Print help]' \
    ':From\: here:__bootc_paths' \
    '*:More:_files'
}`,
  );
  assertEquals(linesAbout(script, /fetch/).slice(0, 2), [
    String.raw`'fetch:Fetch\: it'\''s [new]'`,
    "fetch | get) __bootc_fetch ;;",
  ]);
  assertEquals(script.split("\n")[0], "#compdef bootc other");
});

Deno.test("fishCompletion() has a line for each thing to offer", () => {
  const script = fishCompletion(roots);
  assertEquals(linesAbout(script, /fetch/), [
    "case 'bootc fetch' 'bootc get'",
    "set path 'bootc fetch'",
    String.raw`complete -c bootc -n '__bootc_at bootc' -a fetch -d 'Fetch: it\'s [new]'`,
    "complete -c bootc -n '__bootc_at bootc fetch; and __bootc_path' -F -d 'From: here'",
    "complete -c bootc -n '__bootc_at bootc fetch' -F -d 'More'",
    "complete -c bootc -n '__bootc_at bootc fetch' -s q -l quiet -d 'Say nothing'",
    String
      .raw`complete -c bootc -n '__bootc_at bootc fetch' -l format -x -a "json\t'' yaml\t''" -d 'Output [format]'`,
    "complete -c bootc -n '__bootc_at bootc fetch' -l into -x -a '(__fish_complete_directories)' -d 'Where to'",
    String.raw`complete -c bootc -n '__bootc_at bootc fetch' -l label -x -d 'Its \\ label'`,
    "complete -c bootc -n '__bootc_at bootc fetch' -l count -x -d 'How many'",
    "complete -c bootc -n '__bootc_at bootc fetch' -s h -l help -d 'Print help'",
  ]);
});
