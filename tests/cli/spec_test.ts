import { assertEquals } from "@std/assert";
import { type CommandSpec, optionName, type Positionals, specProblems, type Values } from "../../lib/cli/spec.ts";

const spec = {
  summary: "Do it",
  positionals: [
    { name: "target", help: "What" },
    { name: "more", help: "More", optional: true },
    { name: "rest", help: "Rest", optional: true, repeated: true },
  ],
  flags: {
    check: { help: "Look" },
    tag: { kind: "string", help: "Tag" },
    karg: { kind: "string", help: "Argument", repeated: true },
    format: { kind: "enum", help: "Format", values: ["json", "yaml"], default: "yaml" },
    mode: { kind: "enum", help: "Mode", values: ["required", "auto"] },
    progressFd: { kind: "integer", help: "Descriptor" },
    repo: { kind: "string", help: "Repository", required: true },
  },
} as const satisfies CommandSpec;

Deno.test("Values gives each flag the type of what the parser makes of it", () => {
  // Types are what is tested here: this does not compile when one of them is another.
  const values: Values<typeof spec> = {
    check: true,
    tag: undefined,
    karg: ["a"],
    format: "json",
    mode: undefined,
    progressFd: 3,
    repo: "/repo",
  };
  const check: boolean = values.check;
  const karg: readonly string[] = values.karg;
  const format: "json" | "yaml" = values.format;
  const mode: "required" | "auto" | undefined = values.mode;
  const fd: number | undefined = values.progressFd;
  const repo: string = values.repo;
  assertEquals([check, karg, format, mode, fd, repo], [true, ["a"], "json", undefined, 3, "/repo"]);
  // @ts-expect-error a value that the flag does not take
  values satisfies { format: "json" };
});

Deno.test("Positionals gives each positional its type", () => {
  const values: Positionals<typeof spec> = { target: "t", more: undefined, rest: [] };
  const target: string = values.target;
  const more: string | undefined = values.more;
  const rest: readonly string[] = values.rest;
  assertEquals([target, more, rest], ["t", undefined, []]);
});

Deno.test("optionName() is kebab-case", () => {
  assertEquals(optionName("check"), "check");
  assertEquals(optionName("enforceContainerSigpolicy"), "enforce-container-sigpolicy");
});

Deno.test("specProblems() finds none in a sound spec", () => assertEquals(specProblems(spec), []));

const base: CommandSpec = { summary: "Do it", positionals: [], flags: {} };
const broken: [fact: string, spec: CommandSpec, problems: string[]][] = [
  ["a summary with a full stop", { ...base, summary: "Do it." }, [
    'summary: capital first, no full stop: "Do it."',
  ]],
  ["help without a capital", { ...base, flags: { a: { help: "look" } } }, ['a: capital first, no full stop: "look"']],
  ["a short name used twice", { ...base, flags: { a: { help: "A", short: "x" }, b: { help: "B", short: "x" } } }, [
    '"x" of b belongs to a',
  ]],
  ["-h used for another", { ...base, flags: { host: { help: "Host", short: "h" } } }, [
    '"h" of host belongs to the program',
  ]],
  ["an alias that is a name", { ...base, flags: { a: { help: "A" }, b: { help: "B", aliases: ["a"] } } }, [
    '"a" of b belongs to a',
  ]],
  ["a conflict with nothing", { ...base, flags: { a: { help: "A", conflicts: ["b"] } } }, [
    'a conflicts with "b", which is no flag',
  ]],
  ["a short name of two letters", { ...base, flags: { a: { help: "A", short: "ab" } } }, ["a: short is one letter"]],
  ["a default that is no value", { ...base, flags: { a: { kind: "enum", help: "A", values: ["x"], default: "y" } } }, [
    "a: its default is none of its values",
  ]],
  ["a repeated positional before another", {
    ...base,
    positionals: [{ name: "a", help: "A", repeated: true }, { name: "b", help: "B" }],
  }, ["a: only the last positional may be repeated"]],
  ["an optional positional before a required one", {
    ...base,
    positionals: [{ name: "a", help: "A", optional: true }, { name: "b", help: "B" }],
  }, ["a: a required positional follows an optional one"]],
];

for (const [fact, each, problems] of broken) {
  Deno.test(`specProblems() finds ${fact}`, () => assertEquals(specProblems(each), problems));
}
