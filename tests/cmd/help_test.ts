import { assert, assertEquals } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { program } from "../../cmd/tree.ts";
import { commandsOf } from "../../lib/cli/program.ts";
import { specProblems } from "../../lib/cli/spec.ts";
import { isGroup } from "../../lib/cli/tree.ts";
import { VERSION } from "../../lib/version.ts";
import { bootc, bootcWith } from "./bootc.ts";

const NOBODY = 65534;

Deno.test("bootc --version names program and version", async () => {
  assertEquals(await bootc("--version"), { code: 0, stdout: `bootc ${VERSION}\n`, stderr: "" });
  assertEquals(await bootc("-V"), { code: 0, stdout: `bootc ${VERSION}\n`, stderr: "" });
});

Deno.test("bootc --version and --help work for anyone and in a container", async () => {
  for (const option of ["--version", "--help"]) {
    const { code, stderr } = await bootcWith({ euid: NOBODY, env: { container: "oci" } }, option);
    assertEquals([code, stderr], [0, ""]);
  }
});

Deno.test("VERSION is the one of deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assertEquals(VERSION, config.version);
});

const commands = await Array.fromAsync(commandsOf(program.root));

Deno.test("bootc --help lists each command that is not hidden, with its summary", async () => {
  const { code, stdout } = await bootc("--help");
  assertEquals(code, 0);
  const listed = Object.entries(program.root.commands).filter(([, node]) => !node.hidden);
  for (const [name, { summary }] of listed) {
    assert(stdout.replaceAll(/\s+/g, " ").includes(` ${name} ${summary}`), `${name} is not in:\n${stdout}`);
  }
});

for (const { words, node, spec } of [{ words: [], node: program.root, spec: undefined }, ...commands]) {
  const name = ["bootc", ...words].join(" ");

  Deno.test(`${name} --help fits 80 columns and says how to use it`, async () => {
    const { code, stdout, stderr } = await bootcWith({ euid: NOBODY, env: { container: "oci" } }, ...words, "--help");
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout.split("\n").filter((line) => unicodeWidth(line) > 80), []);
    assert(stdout.startsWith(`${node.summary}\n`), stdout);
    assert(stdout.includes(`\nUsage: ${name} `), stdout);
  });

  if (spec && !isGroup(node)) {
    Deno.test(`${name} has a sound spec, and the summary of the tree`, () => {
      assertEquals(specProblems(spec), []);
      assertEquals(spec.summary, node.summary);
    });

    Deno.test(`${name} has examples that begin with its own name`, () => {
      for (const { command } of spec.examples ?? []) {
        assert(command.includes(words.at(-1)!), command);
      }
    });
  }
}

for (const words of [["image", "list", "--help"], ["container", "image", "list", "--help"]]) {
  Deno.test(`ostree-container ${words.join(" ")} is what "ostree container image list" runs`, async () => {
    const { code, stdout } = await bootcWith({ argv0: "/usr/libexec/libostree/ext/ostree-container" }, ...words);
    assertEquals(code, 0);
    assertEquals(stdout.includes("Usage: ostree container image list"), true, stdout);
  });
}
