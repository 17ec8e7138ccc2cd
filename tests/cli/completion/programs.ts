/** A small program that has one of each: what the renderers are shown. */
import type { Program } from "../../../lib/cli/program.ts";
import type { CommandSpec } from "../../../lib/cli/spec.ts";

const fetch: CommandSpec = {
  summary: "Fetch: it's [new]",
  positionals: [
    { name: "source", help: "From: here", complete: "image" },
    { name: "rest", help: "More", complete: "file", optional: true, repeated: true },
  ],
  flags: {
    quiet: { short: "q", help: "Say nothing", conflicts: ["format"] },
    format: { kind: "enum", values: ["json", "yaml"], help: "Output [format]" },
    into: { kind: "string", metavar: "DIR", complete: "directory", help: "Where to" },
    label: { kind: "string", repeated: true, help: "Its \\ label" },
    count: { kind: "integer", help: "How many" },
    secret: { kind: "string", hidden: true, help: "Not shown" },
  },
};

const plain: CommandSpec = {
  summary: "Say a word",
  positionals: [{ name: "word", help: "Which", complete: ["one", "two"] }],
  flags: {},
};

const load = (spec: CommandSpec) => () => Promise.resolve({ spec, run: () => Promise.resolve() });

/** `bootc fetch|get`, `bootc deep say`, and `other say` by another name of the program. */
export const small: Program = {
  root: {
    summary: "All",
    commands: {
      fetch: { summary: fetch.summary, aliases: ["get"], load: load(fetch) },
      deep: { summary: "More below", commands: { say: { summary: plain.summary, load: load(plain) } } },
      inner: {
        summary: "Not shown",
        hidden: true,
        commands: { other: { summary: "Elsewhere", commands: { say: { summary: plain.summary, load: load(plain) } } } },
      },
    },
  },
  callNames: {
    other: { words: ["inner", "other"], shown: "other" },
    generator: { words: ["inner", "none"], shown: "generator" },
  },
};
