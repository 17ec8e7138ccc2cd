import { assertEquals, assertThrows } from "@std/assert";
import { Keyfile } from "../../lib/codec/keyfile.ts";

const ORIGIN = `# written by a tool

[origin]
container-image-reference=ostree-unverified-registry:quay.io/x/y:tag
# a remark
unknown key = spaced   

[packages]
requested=a;b;

[libostree-transient]
pinned=true
`;

Deno.test("Keyfile round-trips a file but for blanks around =", () => {
  assertEquals(Keyfile.parse(ORIGIN).toString(), ORIGIN.replace("unknown key = spaced", "unknown key=spaced"));
});

Deno.test("Keyfile gives groups and keys in order", () => {
  const file = Keyfile.parse(ORIGIN);
  assertEquals(file.groups(), ["origin", "packages", "libostree-transient"]);
  assertEquals(file.keys("origin"), ["container-image-reference", "unknown key"]);
  assertEquals([file.has("packages"), file.has("nope"), file.keys("nope")], [true, false, []]);
  assertEquals([file.get("origin", "nope"), file.get("nope", "x"), file.getList("nope", "x")], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(file.get("origin", "unknown key"), "spaced   ");
  assertEquals(file.getList("packages", "requested"), ["a", "b"]);
});

Deno.test("Keyfile changes only what it is told to", () => {
  const file = Keyfile.parse(ORIGIN);
  file.set("origin", "container-image-reference", "new");
  file.set("origin", "added", "1");
  file.remove("libostree-transient");
  file.remove("packages", "nope");
  file.set("new", "key", "value");
  assertEquals(
    file.toString(),
    `# written by a tool

[origin]
container-image-reference=new
# a remark
unknown key=spaced   
added=1

[packages]
requested=a;b;

[new]
key=value
`,
  );
  file.remove("packages", "requested");
  assertEquals(file.keys("packages"), []);
});

Deno.test("Keyfile joins repeated groups, and the last of a repeated key counts", () => {
  const file = Keyfile.parse("[a]\nx=1\n[b]\ny=2\n[a]\nx=3\nz=4");
  assertEquals(file.toString(), "[a]\nx=3\nz=4\n[b]\ny=2\n");
});

Deno.test("Keyfile reads lines that end in CR LF", () => {
  assertEquals(Keyfile.parse("[a]\r\nx=1\r\n").get("a", "x"), "1");
});

const VALUES: [value: string, raw: string][] = [
  ["plain", "plain"],
  ["", ""],
  ["  two", "\\s\\stwo"],
  ["\tx y ", "\\tx y "],
  ["a\nb\rc\\d", "a\\nb\\rc\\\\d"],
  ["a=b;c#d", "a=b;c#d"],
  ["ünï", "ünï"],
];
for (const [value, raw] of VALUES) {
  Deno.test(`Keyfile writes ${JSON.stringify(value)} and reads it again`, () => {
    const file = new Keyfile();
    file.set("g", "k", value);
    assertEquals(file.toString(), `[g]\nk=${raw}\n`);
    assertEquals(Keyfile.parse(file.toString()).get("g", "k"), value);
  });
}

const LISTS: [values: string[], raw: string][] = [
  [[], ""],
  [["a"], "a;"],
  [["a;b", "", " c", "d\\e"], "a\\;b;;\\sc;d\\\\e;"],
];
for (const [values, raw] of LISTS) {
  Deno.test(`Keyfile writes the list ${JSON.stringify(values)} and reads it again`, () => {
    const file = new Keyfile();
    file.setList("g", "k", values);
    assertEquals(file.toString(), `[g]\nk=${raw}\n`);
    assertEquals(Keyfile.parse(file.toString()).getList("g", "k"), values);
  });
}

const BAD: [text: string, message: string][] = [
  ["x=1\n", 'Line 1 of a key file stands before the first group: "x=1"'],
  ["[a\nx=1\n", 'Line 1 of a key file is no valid group header: "[a"'],
  ["[]\n", 'Line 1 of a key file is no valid group header: "[]"'],
  ["[a]\n[b] x\n", 'Line 2 of a key file is no valid group header: "[b] x"'],
  ["[a]\nnonsense\n", 'Line 2 of a key file is neither a group, a comment nor "key=value": "nonsense"'],
  ["[a]\n =1\n", 'Line 2 of a key file is neither a group, a comment nor "key=value": "=1"'],
];
for (const [text, message] of BAD) {
  Deno.test(`Keyfile.parse() rejects ${JSON.stringify(text)}`, () => {
    assertEquals(assertThrows(() => Keyfile.parse(text), SyntaxError).message, message);
  });
}

for (const raw of ["a\\qb", "end\\"]) {
  Deno.test(`Keyfile.get() rejects the escape in ${JSON.stringify(raw)}, and keeps it in the file`, () => {
    const file = Keyfile.parse(`[a]\nx=${raw}\n`);
    assertThrows(() => file.get("a", "x"), SyntaxError, 'The value of "x" holds an unknown escape');
    assertThrows(() => file.getList("a", "x"), SyntaxError);
    assertEquals(file.toString(), `[a]\nx=${raw}\n`);
  });
}

const BAD_NAMES: [group: string, key: string, value: string][] = [
  ["a]b", "k", "v"],
  ["a\nb", "k", "v"],
  ["", "k", "v"],
  ["g", "a=b", "v"],
  ["g", "#a", "v"],
  ["g", "a\n[x]\nb", "v"],
  ["g", " a", "v"],
  ["g", "k", "\0"],
];
for (const [group, key, value] of BAD_NAMES) {
  Deno.test(`Keyfile.set() rejects ${JSON.stringify([group, key, value])}`, () => {
    const file = new Keyfile();
    assertThrows(() => file.set(group, key, value), RangeError);
    assertEquals(file.toString(), "");
  });
}

Deno.test("Keyfile.set() cannot be made to write a second line", () => {
  const file = new Keyfile();
  file.set("g", "k", "v\n[evil]\nx=1");
  assertEquals(Keyfile.parse(file.toString()).groups(), ["g"]);
});
