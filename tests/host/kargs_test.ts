import { assertEquals, assertRejects } from "@std/assert";
import { applyKargs, diffKargs, KARGS_DIRECTORY, readKargsD } from "../../lib/host/kargs.ts";
import { UserError } from "../../lib/sys/errors.ts";

function directory(files: Record<string, string>) {
  return (path: string): Promise<[string, string][]> =>
    Promise.resolve(path === KARGS_DIRECTORY ? Object.entries(files) : []);
}

const reads: { what: string; files: Record<string, string>; kargs: string[] }[] = [
  { what: "nothing where there is no directory", files: {}, kargs: [] },
  {
    what: "files in the order of their names",
    files: { "20-b.toml": `kargs = ["b", "c"]`, "10-a.toml": `kargs = ["a"]`, "9-z.toml": `kargs = ["z"]` },
    kargs: ["a", "b", "c", "z"],
  },
  { what: "only .toml files", files: { "a.conf": "nonsense", "README": "", "b.toml": `kargs = ["b"]` }, kargs: ["b"] },
  {
    what: "a file for this architecture",
    files: { "a.toml": `kargs = ["a"]\nmatch-architectures = ["aarch64", "x86_64"]` },
    kargs: ["a"],
  },
  {
    what: "no file for another architecture",
    files: { "a.toml": `kargs = ["a"]\nmatch-architectures = ["s390x", "powerpc64"]` },
    kargs: [],
  },
  { what: "no file for no architecture", files: { "a.toml": `kargs = ["a"]\nmatch-architectures = []` }, kargs: [] },
  {
    what: "several arguments in an item",
    files: { "a.toml": `kargs = ["a  b", 'c="d e"']` },
    kargs: ["a", "b", `c="d e"`],
  },
  { what: "an empty list", files: { "a.toml": "kargs = []" }, kargs: [] },
];

for (const { what, files, kargs } of reads) {
  Deno.test(`readKargsD() reads ${what}`, async () => {
    assertEquals(await readKargsD(directory(files), "x86_64"), kargs);
  });
}

const wrong: [string, string, string][] = [
  ["a NUL", `kargs = ["a\\u0000b"]`, `A control character in the kernel argument "a\\u0000b"`],
  [
    "a line of its own in a boot entry",
    `kargs = ['''a="b\nlinux /c"''']`,
    `A control character in the kernel argument "a=\\"b\\nlinux /c\\""`,
  ],
  ["a missing key", "", `Key "kargs" is missing`],
  ["an unknown key", `kargs = []\nkargz = []`, `Key "kargz" is not known, expected "kargs" or "match-architectures"`],
  ["a text for a list", `kargs = "a"`, `Key "kargs" is "a", expected a list of texts`],
  ["a number in the list", `kargs = ["a", 1]`, `Key "kargs" is ["a",1], expected a list of texts`],
  [
    "an architecture that is no list",
    `kargs = []\nmatch-architectures = "x86_64"`,
    `Key "match-architectures" is "x86_64", expected a list of texts`,
  ],
];

for (const [what, text, message] of wrong) {
  Deno.test(`readKargsD() rejects ${what} and names the file`, async () => {
    const error = await assertRejects(
      () => readKargsD(directory({ "10-a.toml": text }), "x86_64"),
      UserError,
      `Cannot read "usr/lib/bootc/kargs.d/10-a.toml" of the image`,
    );
    assertEquals((error.cause as Error).message, message);
  });
}

Deno.test("readKargsD() rejects what is no TOML", async () => {
  await assertRejects(() => readKargsD(directory({ "a.toml": "kargs = [" }), "x86_64"), UserError);
});

const diffs: { what: string; before: string[]; after: string[]; added: string[]; removed: string[] }[] = [
  { what: "nothing", before: ["a"], after: ["a"], added: [], removed: [] },
  { what: "an addition", before: [], after: ["console=tty0", "nosmt"], added: ["console=tty0", "nosmt"], removed: [] },
  { what: "a removal", before: ["a", "b"], after: ["b"], added: [], removed: ["a"] },
  { what: "another value", before: ["m=1"], after: ["m=2"], added: ["m=2"], removed: ["m=1"] },
  { what: "doubles", before: ["a", "a"], after: ["b", "b"], added: ["b"], removed: ["a"] },
];

for (const { what, before, after, added, removed } of diffs) {
  Deno.test(`diffKargs() finds ${what}`, () => assertEquals(diffKargs(before, after), { added, removed }));
}

const applications: { what: string; current: string[]; added: string[]; removed: string[]; next: string[] }[] = [
  {
    what: "keeps local arguments in their order",
    current: ["root=UUID=1", "old", "local", `"thisarg=quoted with spaces"`],
    added: ["new"],
    removed: ["old"],
    next: ["root=UUID=1", "local", `"thisarg=quoted with spaces"`, "new"],
  },
  { what: "adds nothing twice", current: ["new"], added: ["new"], removed: [], next: ["new"] },
  { what: "removes the first of two", current: ["a", "b", "a"], added: [], removed: ["a"], next: ["b", "a"] },
  { what: "passes over what the host has removed", current: ["b"], added: [], removed: ["a"], next: ["b"] },
  { what: "removes exact matches only", current: ["a=1"], added: [], removed: ["a"], next: ["a=1"] },
];

for (const { what, current, added, removed, next } of applications) {
  Deno.test(`applyKargs() ${what}`, () => assertEquals(applyKargs(current, { added, removed }), next));
}

Deno.test("applyKargs() undoes a variant's arguments on the way back", () => {
  const plain: string[] = ["quiet"],
    variant = ["quiet", "isolcpus=1", "nohz_full=1"],
    host = ["root=UUID=1", "quiet", "mine"];
  const there = applyKargs(host, diffKargs(plain, variant));
  assertEquals(there, ["root=UUID=1", "quiet", "mine", "isolcpus=1", "nohz_full=1"]);
  assertEquals(applyKargs(there, diffKargs(variant, plain)), host);
});
