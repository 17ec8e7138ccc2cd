import { assertEquals } from "@std/assert";
import plugin from "../scripts/lint_plugin.ts";

/** What the plugin says of a source text, one line a finding: `rule: message`. */
function findings(file: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, file, source).map(({ id, message }) => `${id.replace("house/", "")}: ${message}`);
}

const rows: [fact: string, file: string, source: string, expected: string[]][] = [
  ["lets cmd import lib", "cmd/upgrade.ts", `import { read } from "../lib/host/read.ts";`, []],
  ["lets cmd import cli", "cmd/upgrade.ts", `import { UsageError } from "../lib/cli/errors.ts";`, []],
  ["lets host import container", "lib/host/stage.ts", `import { pull } from "../container/pull.ts";`, []],
  ["lets a layer import itself", "lib/host/stage.ts", `import { read } from "./read.ts";`, []],
  ["lets ostree import codec", "lib/ostree/repo.ts", `import { encode } from "../codec/gvariant.ts";`, []],
  ["lets any file import the version", "lib/skopeo/proxy.ts", `import { VERSION } from "../version.ts";`, []],
  ["lets main import cmd and cli", "main.ts", `import "./cmd/tree.ts"; import "./lib/cli/program.ts";`, []],
  ["lets tests import anything", "tests/x_test.ts", `import "../cmd/tree.ts"; import "../scripts/x.ts";`, []],
  ["lets the tree load a command lazily", "cmd/tree.ts", `const f = () => import("./upgrade.ts");`, []],
  [
    "refuses an import that points up",
    "lib/codec/tar.ts",
    `import { Repo } from "../ostree/repo.ts";`,
    ["layers: Imports point down only: codec may not import ostree"],
  ],
  [
    "refuses a type import that points up",
    "lib/sys/context.ts",
    `import type { Host } from "../host/spec.ts";`,
    ["layers: Imports point down only: sys may not import host"],
  ],
  [
    "refuses an export from above",
    "lib/container/pull.ts",
    `export { read } from "../host/read.ts"; export * from "../host/spec.ts";`,
    [
      "layers: Imports point down only: container may not import host",
      "layers: Imports point down only: container may not import host",
    ],
  ],
  [
    "refuses an import between equals",
    "lib/ostree/repo.ts",
    `import { ImageProxy } from "../skopeo/proxy.ts";`,
    ["layers: Imports point down only: ostree may not import skopeo"],
  ],
  [
    "refuses lib that imports cmd",
    "lib/host/read.ts",
    `import { run } from "../../cmd/status.ts";`,
    ["layers: Imports point down only: host may not import cmd"],
  ],
  [
    "refuses lib that imports cli",
    "lib/host/read.ts",
    `import { UsageError } from "../cli/errors.ts";`,
    ["layers: lib/cli is for main and cmd, not for host"],
  ],
  [
    "refuses cli that imports host",
    "lib/cli/help.ts",
    `import { read } from "../host/read.ts";`,
    ["layers: Imports point down only: cli may not import host"],
  ],
  [
    "refuses a command that imports a command",
    "cmd/image/list.ts",
    `import { run } from "../status.ts"; const f = () => import("../edit.ts");`,
    [
      "layers: A command may not import a command; only cmd/tree.ts does, with import()",
      "layers: A command may not import a command; only cmd/tree.ts does, with import()",
    ],
  ],
  [
    "refuses a tree that loads a command at once",
    "cmd/tree.ts",
    `import { spec } from "./upgrade.ts";`,
    ["layers: A command may not import a command; only cmd/tree.ts does, with import()"],
  ],
  [
    "refuses a program that imports its tests",
    "lib/sys/run.ts",
    `import { tempDir } from "../../tests/temp.ts";`,
    ["layers: The program may not import tests/"],
  ],
  [
    "refuses a folder without a layer",
    "lib/utils/x.ts",
    `import "../sys/run.ts";`,
    ["layers: lib/utils has no layer: give it one in scripts/lint_plugin.ts"],
  ],
  [
    "refuses a leaf that imports",
    "lib/version.ts",
    `import "./sys/run.ts";`,
    [`layers: A file directly in lib/ imports nothing of the program, but "lib/sys/run.ts" was`],
  ],
  [
    "keeps @std/assert out of the program",
    "lib/host/read.ts",
    `import { assert } from "@std/assert";`,
    ["layers: @std/assert is for tests/ only"],
  ],
  [
    "keeps node:child_process to its owners",
    "lib/skopeo/proxy.ts",
    `import { spawn } from "node:child_process";`,
    ["layers: node:child_process is for lib/sys/run.ts, lib/sys/spawn.ts only"],
  ],
  ["lets the owner start a process", "lib/sys/run.ts", `new Deno.Command("true");`, []],
  [
    "refuses a process elsewhere",
    "lib/host/reboot.ts",
    `new Deno.Command("systemctl");`,
    ["owners: Deno.Command is for lib/sys/run.ts, lib/sys/spawn.ts only"],
  ],
  ["lets a library's file open it", "lib/codec/zstd.ts", `Deno.dlopen("libzstd.so.1", {});`, []],
  ["lets main read the environment", "main.ts", `Deno.env.toObject(); Deno.args; Deno.exitCode = 1;`, []],
  [
    "refuses the environment and argv elsewhere",
    "cmd/edit.ts",
    `Deno.env.get("EDITOR"); Deno["args"];`,
    ["owners: Deno.env is for main.ts only", "owners: Deno.args is for main.ts only"],
  ],
  [
    "sees through destructuring",
    "cmd/edit.ts",
    `const { env } = Deno;`,
    ["owners: Deno.env is for main.ts only"],
  ],
  [
    "refuses Deno.exit even in main",
    "main.ts",
    `Deno.exit(1);`,
    ["owners: Deno.exit is not used here at all"],
  ],
  ["leaves other members of Deno alone", "lib/host/read.ts", `Deno.readTextFile("x"); Deno.constructor;`, []],
  ["refuses console", "lib/host/read.ts", `console.log(1);`, ["owners: console is for scripts/ and bench/ only"]],
  ["lets scripts print", "scripts/demo.ts", `console.log(1); Deno.exit(1);`, []],
  ["leaves a good message alone", "lib/a.ts", 'new UserError(`Cannot pull "${image}"`, { hint: "Log in." });', []],
  ["leaves a message that starts with a value alone", "lib/a.ts", "new UserError(`${what} is missing`);", []],
  ["leaves the name of a C function alone", "lib/sys/libc.ts", `new LibcError("openat", 2);`, []],
  ["leaves tests' messages alone", "tests/x_test.ts", `new Error("boom.");`, []],
  [
    "refuses a small first letter",
    "lib/a.ts",
    `new UserError("cannot pull");`,
    ["error-message: An error message starts with a capital letter"],
  ],
  [
    "refuses a full stop",
    "cmd/a.ts",
    "throw SyntaxError(`Bad ${text} here.`);",
    ["error-message: An error message has no full stop"],
  ],
  [
    "refuses contractions",
    "main.ts",
    `new RangeError("It doesn't fit");`,
    ["error-message: An error message has no contractions"],
  ],
  ["lets a possessive pass", "lib/a.ts", `new UserError("The layer's digest differs");`, []],
];

for (const [fact, file, source, expected] of rows) {
  Deno.test(`lint plugin ${fact}`, () => assertEquals(findings(file, source), expected));
}

Deno.test("lint plugin knows a file by its absolute path", () => {
  const file = `${import.meta.dirname!}/../lib/codec/tar.ts`.replace("/tests/..", "");
  assertEquals(findings(file, `import "../host/read.ts";`), [
    "layers: Imports point down only: codec may not import host",
  ]);
});
