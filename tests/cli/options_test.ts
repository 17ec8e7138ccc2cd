import { assertEquals, assertThrows } from "@std/assert";
import { renderError, UsageError } from "../../lib/cli/errors.ts";
import { parse } from "../../lib/cli/options.ts";
import type { CommandSpec, PositionalSpec } from "../../lib/cli/spec.ts";

const flags = {
  check: { help: "Look" },
  apply: { help: "Reboot", conflicts: ["check"], short: "a" },
  verbose: { help: "More", short: "v" },
  quiet: { help: "Less", short: "q" },
  noImgref: { help: "None" },
  tag: { kind: "string", help: "Tag", short: "t" },
  noteFile: { kind: "string", help: "File", aliases: ["notes"] },
  karg: { kind: "string", help: "Argument", repeated: true, short: "k" },
  softReboot: { kind: "enum", help: "Mode", values: ["required", "auto"], metavar: "MODE", conflicts: ["check"] },
  format: { kind: "enum", help: "Format", values: ["json", "yaml", "humanreadable"], default: "yaml" },
  progressFd: { kind: "integer", help: "Descriptor", hidden: true },
  level: { kind: "integer", help: "Level", min: 1, max: 9, default: 6 },
} as const satisfies CommandSpec["flags"];

function specWith(
  positionals: readonly PositionalSpec[] = [{ name: "rest", help: "R", optional: true, repeated: true }],
) {
  return { summary: "Do it", positionals, flags } satisfies CommandSpec;
}

/** Flags and positionals that are not what they are when nothing is given. */
function given(argv: string[], positionals?: readonly PositionalSpec[]): Record<string, unknown> {
  const spec = specWith(positionals);
  const parsed = parse(spec, argv);
  if (parsed === "help") return { help: true };
  const usual: Record<string, unknown> = { karg: "", format: "yaml", level: 6, rest: "" };
  return Object.fromEntries(
    Object.entries({ ...parsed.flags, ...parsed.positionals }).filter(([key, value]) =>
      value !== false && value !== undefined && String(value) !== String(usual[key])
    ),
  );
}

Deno.test("parse() has a value for every flag when nothing is given", () => {
  assertEquals(parse(specWith(), []), {
    flags: {
      check: false,
      apply: false,
      verbose: false,
      quiet: false,
      noImgref: false,
      tag: undefined,
      noteFile: undefined,
      karg: [],
      softReboot: undefined,
      format: "yaml",
      progressFd: undefined,
      level: 6,
    },
    positionals: { rest: [] },
  });
});

const good: [argv: string[], expected: Record<string, unknown>][] = [
  [["--check"], { check: true }],
  [["--tag", "1.10"], { tag: "1.10" }],
  [["--tag=1.10"], { tag: "1.10" }],
  [["--tag=a=b"], { tag: "a=b" }],
  [["--tag="], { tag: "" }],
  [["--tag", ""], { tag: "" }],
  [["--tag", "-"], { tag: "-" }],
  [["--tag=--check"], { tag: "--check" }],
  [["--tag", "two\nlines"], { tag: "two\nlines" }],
  [["-t", "x"], { tag: "x" }],
  [["-tx"], { tag: "x" }],
  [["-t=x"], { tag: "x" }],
  [["-vt", "x"], { verbose: true, tag: "x" }],
  [["-qvtx"], { quiet: true, verbose: true, tag: "x" }],
  [["--notes", "f"], { noteFile: "f" }],
  [["--note-file", "f"], { noteFile: "f" }],
  [["--no-imgref"], { noImgref: true }],
  [["--karg", "a", "--check", "-k", "b", "--karg=a"], { check: true, karg: ["a", "b", "a"] }],
  [["--soft-reboot=auto"], { softReboot: "auto" }],
  [["--format", "json"], { format: "json" }],
  [["--progress-fd", "3"], { progressFd: 3 }],
  [["--level=9"], { level: 9 }],
  [["--check", "true"], { check: true, rest: ["true"] }],
  [["a", "--check", "b"], { check: true, rest: ["a", "b"] }],
  [["--check", "--", "--apply", "--", "-x"], { check: true, rest: ["--apply", "--", "-x"] }],
  [["007", "1e3", "-"], { rest: ["007", "1e3", "-"] }],
  [["--help"], { help: true }],
  [["-vh"], { help: true }],
  [["a", "--check", "--help", "--nonsense"], { help: true }],
  [["--", "--help"], { rest: ["--help"] }],
];

for (const [argv, expected] of good) {
  Deno.test(`parse() takes ${JSON.stringify(argv)}`, () => assertEquals(given(argv), expected));
}

const bad: [argv: string[], message: string, hint?: string][] = [
  [["--aply"], 'Unknown option "--aply"', 'Did you mean "--apply"?'],
  [["--chekc"], 'Unknown option "--chekc"', 'Did you mean "--check"?'],
  [["--soft"], 'Unknown option "--soft"', 'Did you mean "--soft-reboot"?'],
  [["--soft-reboto=auto"], 'Unknown option "--soft-reboto"', 'Did you mean "--soft-reboot"?'],
  [["-check"], 'Unknown option "-c"', 'Did you mean "--check"?'],
  [["--progress-f"], 'Unknown option "--progress-f"', 'To use "--progress-f" as an argument, put "--" before it'],
  [
    ["--wholly-unknown"],
    'Unknown option "--wholly-unknown"',
    'To use "--wholly-unknown" as an argument, put "--" before it',
  ],
  [["-z"], 'Unknown option "-z"', 'To use "-z" as an argument, put "--" before it'],
  [["--no-check"], 'Unknown option "--no-check"', 'To use "--no-check" as an argument, put "--" before it'],
  [["--tag.x=1"], 'Unknown option "--tag.x"', 'To use "--tag.x" as an argument, put "--" before it'],
  [["--__proto__"], 'Unknown option "--__proto__"', 'To use "--__proto__" as an argument, put "--" before it'],
  [["--apply=no"], 'Option "--apply" takes no value, but got "no"'],
  [["--apply="], 'Option "--apply" takes no value, but got ""'],
  [["-a=no"], 'Option "-a" takes no value, but got "no"'],
  [["--help=x"], 'Option "--help" takes no value, but got "x"'],
  [["--tag"], 'Option "--tag" needs a value'],
  [["-t"], 'Option "-t" needs a value'],
  [
    ["--tag", "--check"],
    'Option "--tag" needs a value, but "--check" looks like an option',
    'To use it as the value, write "--tag=--check"',
  ],
  [["--tag", "--"], 'Option "--tag" needs a value, but "--" looks like an option'],
  [["--tag=a", "--tag=b"], 'Option "--tag" was given more than once'],
  [["--tag=a", "-tb"], 'Option "-t" was given more than once'],
  [["--check", "--check"], 'Option "--check" was given more than once'],
  [["-vv"], 'Option "-v" was given more than once'],
  [["--apply", "--check"], 'Option "--apply" cannot be used with "--check"'],
  [["--check", "-a"], 'Option "-a" cannot be used with "--check"'],
  [["--check", "--soft-reboot=auto"], 'Option "--soft-reboot" cannot be used with "--check"'],
  [["--soft-reboot=no"], 'Option "--soft-reboot" takes "required" or "auto", not "no"'],
  [["--format", "jsn"], 'Option "--format" takes "json", "yaml" or "humanreadable", not "jsn"', 'Did you mean "json"?'],
  [["--format="], 'Option "--format" takes "json", "yaml" or "humanreadable", not ""'],
  [["--progress-fd", "x"], 'Option "--progress-fd" takes a whole number of 0 or more, not "x"'],
  [["--progress-fd=-1"], 'Option "--progress-fd" takes a whole number of 0 or more, not "-1"'],
  [["--progress-fd=0x3"], 'Option "--progress-fd" takes a whole number of 0 or more, not "0x3"'],
  [["--progress-fd="], 'Option "--progress-fd" takes a whole number of 0 or more, not ""'],
  [
    ["--progress-fd=99999999999999999999"],
    'Option "--progress-fd" takes a whole number of 0 or more, not "99999999999999999999"',
  ],
  [["--level=10"], 'Option "--level" takes a whole number from 1 to 9, not "10"'],
];

for (const [argv, message, hint] of bad) {
  Deno.test(`parse() refuses ${JSON.stringify(argv)}`, () => {
    const error = assertThrows(() => parse(specWith(), argv), UsageError);
    assertEquals(renderError(error), `error: ${message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`);
  });
}

Deno.test("parse() gives no hint about arguments to a command that has none", () => {
  const error = assertThrows(() => parse(specWith([]), ["--wholly-unknown"]), UsageError);
  assertEquals(error.hint, undefined);
});

Deno.test("parse() demands an option that is required", () => {
  const spec: CommandSpec = {
    ...specWith([]),
    flags: { repo: { kind: "string", help: "R", metavar: "DIR", required: true } },
  };
  const error = assertThrows(() => parse(spec, []), UsageError);
  assertEquals(error.message, 'Option "--repo <DIR>" is required');
});

const pair = [{ name: "target", help: "T" }, { name: "rootPath", help: "R", optional: true }] as const;
const some = [{ name: "target", help: "T" }, { name: "more", help: "M", repeated: true }] as const;
const positionals: [specs: readonly PositionalSpec[], argv: string[], expected: Record<string, unknown> | string][] = [
  [pair, ["a"], { target: "a" }],
  [pair, ["a", "b"], { target: "a", rootPath: "b" }],
  [pair, ["--", "-a"], { target: "-a" }],
  [pair, [], "Argument <TARGET> is required"],
  [pair, ["a", "b", "c"], 'Unexpected argument "c"'],
  [some, ["a", "b", "c"], { target: "a", more: ["b", "c"] }],
  [some, ["a"], "Argument <MORE> is required"],
  [[], ["a"], 'Unexpected argument "a"'],
];

for (const [specs, argv, expected] of positionals) {
  const names = specs.map(({ name }) => name).join(", ") || "nothing";
  Deno.test(`parse() assigns ${JSON.stringify(argv)} to ${names}`, () => {
    if (typeof expected === "string") assertThrows(() => given(argv, specs), UsageError, expected);
    else assertEquals(given(argv, specs), expected);
  });
}
