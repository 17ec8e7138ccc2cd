import { assert, assertEquals } from "@std/assert";
import type { CliContext } from "../../lib/cli/context.ts";
import { UsageError } from "../../lib/cli/errors.ts";
import type { Program } from "../../lib/cli/program.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { Interrupted, UserError } from "../../lib/sys/errors.ts";
import { VERSION } from "../../lib/version.ts";
import { runInProcess } from "../cmd/bootc.ts";

const echo = {
  summary: "Print what was given",
  positionals: [{ name: "words", help: "Words", optional: true, repeated: true }],
  flags: { upper: { help: "In capitals", short: "u" }, karg: { kind: "string", help: "Argument", repeated: true } },
} as const satisfies CommandSpec;

function runEcho(ctx: CliContext, flags: Values<typeof echo>, { words }: Positionals<typeof echo>): Promise<void> {
  const text = words.join(" ");
  ctx.stdout.write(`${flags.upper ? text.toUpperCase() : text}\n`);
  return Promise.resolve();
}

const bare = { positionals: [], flags: {} } as const;

/** A leaf whose command does this. */
function leaf(summary: string, run: (ctx: CliContext) => void | number | Promise<number>) {
  return {
    summary,
    load: () => Promise.resolve({ spec: { summary, ...bare }, run: (ctx: CliContext) => Promise.resolve(run(ctx)) }),
  };
}

const self = {
  ...leaf("Tell its own argv", (ctx) => ctx.stdout.write(`${ctx.selfArgv.join(" ")}\n`)),
  aliases: ["me"],
};
const unloaded = { summary: "Never loaded", load: () => Promise.reject(new Error("It was loaded")) };

const program: Program = {
  root: {
    summary: "A program",
    commands: {
      echo: { summary: echo.summary, aliases: ["say"], load: () => Promise.resolve({ spec: echo, run: runEcho }) },
      fail: leaf("Fail", () => {
        throw new UserError("Cannot do it", { hint: "Do not" });
      }),
      misuse: leaf("Misuse", () => {
        throw new UsageError("One of --imgref and --image is required");
      }),
      stop: leaf("Stop", () => {
        throw new Interrupted();
      }),
      again: leaf("Run again", () => 7),
      unloaded,
      internals: {
        summary: "Helpers",
        hidden: true,
        commands: {
          "ostree-container": { summary: "Work on images", commands: { list: leaf("List", () => {}), self } },
        },
      },
    },
  },
  callNames: {
    "ostree-container": { words: ["internals", "ostree-container"], shown: "ostree container" },
    "bootc-systemd-generator": { words: ["internals", "systemd-generator"], shown: "bootc-systemd-generator" },
  },
};

function run(...words: string[]) {
  return runInProcess(program, words);
}

const USAGE = "\nUsage: bootc <COMMAND>\n\nFor more information, try '--help'.\n";

const rows: [words: string[], code: number, stdout: string, stderr: string][] = [
  [["echo", "a", "b"], 0, "a b\n", ""],
  [["say", "-u", "a"], 0, "A\n", ""],
  [["fail"], 1, "", "error: Cannot do it\nhint: Do not\n"],
  [["stop"], 130, "", "error: Interrupted\n"],
  [["again"], 7, "", ""],
  [
    ["misuse"],
    2,
    "",
    "error: One of --imgref and --image is required\n\nUsage: bootc misuse [OPTIONS]\n\nFor more information, try '--help'.\n",
  ],
  [
    ["echo", "--uper"],
    2,
    "",
    'error: Unknown option "--uper"\nhint: Did you mean "--upper"?\n\nUsage: bootc echo [OPTIONS] [WORDS]...\n\n' +
    "For more information, try '--help'.\n",
  ],
  [["ehco"], 2, "", `error: Unknown command "ehco"\nhint: Did you mean "echo"?\n${USAGE}`],
  [["wholly-unknown"], 2, "", `error: Unknown command "wholly-unknown"\n${USAGE}`],
  [["internal"], 2, "", `error: Unknown command "internal"\n${USAGE}`],
  [["--verbose"], 2, "", `error: Unknown option "--verbose"\n${USAGE}`],
  [["--version"], 0, `bootc ${VERSION}\n`, ""],
  [
    ["internals", "ostree-container", "lst"],
    2,
    "",
    'error: Unknown command "lst"\nhint: Did you mean "list"?\n\nUsage: bootc internals ostree-container <COMMAND>\n\n' +
    "For more information, try '--help'.\n",
  ],
  [
    ["internals", "ostree-container", "--version"],
    2,
    "",
    "error: Unknown option \"--version\"\n\nUsage: bootc internals ostree-container <COMMAND>\n\nFor more information, try '--help'.\n",
  ],
];

for (const [words, code, stdout, stderr] of rows) {
  Deno.test(`runProgram() runs ${JSON.stringify(words)} with exit code ${code}`, async () => {
    assertEquals(await run(...words), { code, stdout, stderr });
  });
}

Deno.test("runProgram() prints help on stdout when asked, and on stderr when a command is missing", async () => {
  const { stdout: help } = await run("--help");
  assert(help.startsWith("A program\n\nUsage: bootc <COMMAND>\n\nCommands:\n  echo "), help);
  assertEquals(help.includes("internals"), false);
  for (const words of [["-h"], ["help"], ["help", "--help"]]) {
    assertEquals(await run(...words), { code: 0, stdout: help, stderr: "" });
  }
  assertEquals(await run(), { code: 2, stdout: "", stderr: help });
});

Deno.test("runProgram() prints the help of a command by --help, -h and help", async () => {
  const { code, stdout } = await run("echo", "--help");
  assertEquals(code, 0);
  assert(stdout.startsWith("Print what was given\n\nUsage: bootc echo [OPTIONS] [WORDS]...\n\nAlso: say\n"), stdout);
  assertEquals((await run("echo", "x", "-h")).stdout, stdout);
  assertEquals((await run("help", "echo")).stdout, stdout);
  assertEquals((await run("say", "--help")).stdout, stdout);
});

Deno.test("runProgram() goes by the name it is called by", async () => {
  const called = { argv0: "/usr/libexec/libostree/ext/ostree-container" };
  assertEquals(await runInProcess(program, ["list"], called), { code: 0, stdout: "", stderr: "" });
  const { stdout } = await runInProcess(program, ["--help"], called);
  assert(stdout.startsWith("Work on images\n\nUsage: ostree container <COMMAND>\n"), stdout);
  assertEquals((await runInProcess(program, ["--version"], called)).code, 2);
});

Deno.test("runProgram() refuses a name that stands for a command which does not exist", async () => {
  assertEquals(await runInProcess(program, ["a", "b", "c"], { argv0: "bootc-systemd-generator" }), {
    code: 2,
    stdout: "",
    stderr:
      "error: Unknown command \"systemd-generator\"\n\nUsage: bootc <COMMAND>\n\nFor more information, try '--help'.\n",
  });
});

Deno.test("runProgram() takes any other name for bootc", async () => {
  for (const argv0 of ["deno", "/usr/bin/bootc", "./bootc.new", "constructor", ""]) {
    assertEquals((await runInProcess(program, ["echo", "x"], { argv0 })).stdout, "x\n");
  }
});

Deno.test("runProgram() tells a command how to start itself again, whatever it was called by", async () => {
  const told = async (argv0: string, ...words: string[]) =>
    (await runInProcess(program, words, { argv0, ctx: { selfArgv: ["/usr/bin/bootc"] } })).stdout;
  const expected = "/usr/bin/bootc internals ostree-container self\n";
  assertEquals(await told("bootc", "internals", "ostree-container", "self"), expected);
  assertEquals(await told("ostree-container", "self"), expected);
  assertEquals(await told("ostree-container", "me"), expected);
  assertEquals(await told("ostree-container", "self", "--"), expected.replace("\n", " --\n"));
});

Deno.test("runProgram() is 130 when the signal was given, whatever failed of it", async () => {
  const outcome = await runInProcess(program, ["fail"], { ctx: { signal: AbortSignal.abort() } });
  assertEquals(outcome.code, 130);
});

Deno.test("runProgram() paints errors on a terminal, unless told not to", async () => {
  const painted = async (env: Record<string, string>) =>
    (await runInProcess(program, ["fail"], { env, ctx: { stderrIsTerminal: true } })).stderr.includes("\x1b");
  assertEquals(await painted({ TERM: "xterm" }), true);
  assertEquals(await painted({ TERM: "dumb" }), false);
  assertEquals(await painted({ TERM: "xterm", NO_COLOR: "1" }), false);
  assertEquals(await painted({ TERM: "xterm", NO_COLOR: "" }), true);
});

Deno.test("runProgram() shows a failure of ours with its stack", async () => {
  const { code, stderr } = await run("unloaded");
  assertEquals(code, 1);
  assert(stderr.startsWith("error: It was loaded\nThis is a bug in bootc; please report it"), stderr);
});
