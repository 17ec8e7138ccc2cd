import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode, encode, type Value, Variant } from "../../lib/codec/gvariant.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { hasProgram } from "../has_program.ts";
import { tempDir } from "../temp.ts";
import { Random } from "./random.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** Recorded from GLib 2.74.6: g_variant_parse() of the text, then g_variant_get_data(). */
const VECTORS: [text: string, type: string, value: Value, hex: string][] = [
  ["true", "b", true, "01"],
  ["byte 7", "y", 7, "07"],
  ["int16 -2", "n", -2, "feff"],
  ["uint16 65535", "q", 65535, "ffff"],
  ["-5", "i", -5, "fbffffff"],
  ["uint32 4000000000", "u", 4000000000, "00286bee"],
  ["int64 -1", "x", -1n, "ffffffffffffffff"],
  ["uint64 18446744073709551615", "t", 18446744073709551615n, "ffffffffffffffff"],
  ["1.5", "d", 1.5, "000000000000f83f"],
  ["'hé'", "s", "hé", "68c3a900"],
  ["objectpath '/a/b'", "o", "/a/b", "2f612f6200"],
  ["signature 'a{sv}'", "g", "a{sv}", "617b73767d00"],
  ["<int64 1>", "v", new Variant("x", 1n), "01000000000000000078"],
  ["@ms nothing", "ms", null, ""],
  ["@ms just 'x'", "ms", "x", "780000"],
  ["@mi just 5", "mi", 5, "05000000"],
  ["()", "()", [], "00"],
  ["(byte 1,)", "(y)", [1], "01"],
  ["(byte 1, int64 2)", "(yx)", [1, 2n], "01000000000000000200000000000000"],
  ["(int64 2, byte 1)", "(xy)", [2n, 1], "02000000000000000100000000000000"],
  ["('a', byte 1, 'b', int64 3)", "(sysx)", ["a", 1, "b", 3n], "610001620000000003000000000000000502"],
  ["(byte 1,'b')", "(ys)", [1, "b"], "016200"],
  ["@as []", "as", [], ""],
  ["['a','bc','']", "as", ["a", "bc", ""], "610062630000020506"],
  ["@ai [1,2,3]", "ai", [1, 2, 3], "010000000200000003000000"],
  ["[(byte 1, uint16 2)]", "a(yq)", [[1, 2]], "01000200"],
  [
    "{'k': <'v'>, 'n': <int64 7>}",
    "a{sv}",
    [["k", new Variant("s", "v")], ["n", new Variant("x", 7n)]],
    "6b0000000000000076000073020000006e0000000000000007000000000000000078020d23",
  ],
  ["@a{sv} {}", "a{sv}", [], ""],
  ["{uint32 1: 'x'}", "a{us}", [[1, "x"]], "01000000780006"],
  ["[b'ab', b'']", "aay", [bytes(97, 98, 0), bytes(0)], "616200000304"],
  ["(@a{sv} {}, @ay [], @a(say) [], 's', '', uint64 5, @ay [byte 1], @ay [byte 2])", "(a{sv}aya(say)sstayay)", [
    [],
    bytes(),
    [],
    "s",
    "",
    5n,
    bytes(1),
    bytes(2),
  ], "730000000000000005000000000000000102110302000000"],
  ["@a(ayay) [(b'a', [byte 1])]", "a(ayay)", [[bytes(97, 0), bytes(1)]], "6100010204"],
  ["<<<'x'>>>", "v", new Variant("v", new Variant("v", new Variant("s", "x"))), "7800007300760076"],
  ["@mv nothing", "mv", null, ""],
  ["[@mi just 1, nothing]", "ami", [1, null], "010000000404"],
  ["@a() [(),()]", "a()", [[], []], "0000"],
  ["(@ai [], @ai [1])", "(aiai)", [[], [1]], "0100000000"],
  [
    "[<true>, <(byte 1, 'x', @as [])>]",
    "av",
    [new Variant("b", true), new Variant("(ysas)", [1, "x", []])],
    "010062000000000001780003002879736173290313",
  ],
  ["@aas [[],['a']]", "aas", [[], ["a"]], "6100020003"],
  ["((byte 1, 'a'), uint32 5)", "((ys)u)", [[1, "a"], 5], "016100000500000003"],
  ["{'a': @mv <'x'>}", "a{smv}", [["a", new Variant("s", "x")]], "61000000000000007800007300020e"],
  ["@(yv) (byte 1, <int64 5>)", "(yv)", [1, new Variant("x", 5n)], "010000000000000005000000000000000078"],
  [
    "@(t(ys)v) (1, (2,'x'), <3>)",
    "(t(ys)v)",
    [1n, [2, "x"], new Variant("i", 3)],
    "010000000000000002780000000000000300000000690b",
  ],
  ["@(sax) ('abc', [])", "(sax)", ["abc", []], "616263000000000004"],
  ["@a(sx) []", "a(sx)", [], ""],
  ["@(yax) (1, [])", "(yax)", [1, []], "0100000000000000"],
  ["@(sat) ('a',[1])", "(sat)", ["a", [1n]], "6100000000000000010000000000000002"],
];

for (const [text, type, value, hex] of VECTORS) {
  Deno.test(`encode() and decode() agree with GLib on ${text} of type ${type}`, () => {
    assertEquals(encode(type, value).toHex(), hex);
    assertEquals(decode(type, Uint8Array.fromHex(hex)), value);
  });
}

/** The end of what GLib 2.74.6 writes where the offsets themselves push a container past 255 bytes. */
const WIDE: [type: string, value: Value, size: number, end: string][] = [
  ["as", ["z".repeat(250)], 252, "7a7a7a7a7a7a00fb"],
  ["as", ["z".repeat(251)], 253, "7a7a7a7a7a7a00fc"],
  ["as", ["z".repeat(252)], 254, "7a7a7a7a7a7a00fd"],
  ["as", ["z".repeat(253)], 255, "7a7a7a7a7a7a00fe"],
  ["as", ["z".repeat(254)], 257, "7a7a7a7a7a00ff00"],
  ["as", ["z".repeat(255)], 258, "7a7a7a7a7a000001"],
  ["as", ["z".repeat(65530)], 65533, "7a7a7a7a7a00fbff"],
  ["as", ["z".repeat(65532)], 65535, "7a7a7a7a7a00fdff"],
  ["as", ["z".repeat(65533)], 65538, "7a7a7a00feff0000"],
  ["as", ["z".repeat(65534)], 65539, "7a7a7a00ffff0000"],
  ["(ss)", ["y".repeat(250), ""], 253, "79797979790000fb"],
  ["(ss)", ["y".repeat(251), ""], 254, "79797979790000fc"],
  ["(ss)", ["y".repeat(252), ""], 255, "79797979790000fd"],
  ["(ss)", ["y".repeat(253), ""], 257, "797979790000fe00"],
  ["(ss)", ["y".repeat(254), ""], 258, "797979790000ff00"],
  ["(ss)", ["y".repeat(255), ""], 259, "7979797900000001"],
  ["(ss)", ["y".repeat(65530), ""], 65534, "797979790000fbff"],
  ["(ss)", ["y".repeat(65532), ""], 65538, "79790000fdff0000"],
  ["(ss)", ["y".repeat(65533), ""], 65539, "79790000feff0000"],
  ["(ss)", ["y".repeat(65534), ""], 65540, "79790000ffff0000"],
  ["(sas)", ["x".repeat(250), ["q"]], 255, "78787800710002fb"],
  ["(sas)", ["x".repeat(251), ["q"]], 257, "787800710002fc00"],
  ["(sas)", ["x".repeat(252), ["q"]], 258, "787800710002fd00"],
  ["(sas)", ["x".repeat(253), ["q"]], 259, "787800710002fe00"],
  ["(sas)", ["x".repeat(254), ["q"]], 260, "787800710002ff00"],
  ["(sas)", ["x".repeat(255), ["q"]], 261, "7878007100020001"],
  ["(sas)", ["x".repeat(65530), ["q"]], 65538, "00710002fbff0000"],
  ["(sas)", ["x".repeat(65532), ["q"]], 65540, "00710002fdff0000"],
  ["(sas)", ["x".repeat(65533), ["q"]], 65541, "00710002feff0000"],
  ["(sas)", ["x".repeat(65534), ["q"]], 65542, "00710002ffff0000"],
];
for (const [type, value, size, end] of WIDE) {
  Deno.test(`encode() of ${size} bytes chooses the offset size of GLib for ${type}`, () => {
    const data = encode(type, value);
    assertEquals([data.length, data.slice(-end.length / 2).toHex()], [size, end]);
    assertEquals(decode(type, data), value);
  });
}

/** Not in normal form: GLib reads each as some default, or as something that is written otherwise. */
const MALFORMED: [what: string, type: string, hex: string, message: string][] = [
  ["a short integer", "u", "0000", "2 bytes instead of 4"],
  ["a boolean of 2", "b", "02", "2 is no boolean"],
  ["a string without NUL", "s", "61", "a string has no NUL behind it"],
  ["an empty string of no bytes", "s", "", "a string has no NUL behind it"],
  ["a string with a NUL inside", "s", "610061" + "00", "a string has a NUL inside"],
  ["a string that is not UTF-8", "s", "ff00", "a string is not UTF-8"],
  ["a bad object path", "o", "2f612f00", 'bad value "/a/"'],
  ["a bad signature", "g", "6100", 'bad value "a"'],
  ["a variant without type", "v", "0161", "a variant names no type"],
  ["a variant of a bad type", "v", "01007a", "a variant names no valid type"],
  ["an array with a torn element", "ai", "0100000002", "its size is no multiple of the element's"],
  ["an array whose offsets go back", "as", "6100610004" + "02", "an offset points outside"],
  ["an array whose table is beyond its end", "as", "6100ff", "bad offset table"],
  ["padding that is not zero", "(yu)", "0101000002000000", "padding is not zero"],
  ["padding at the end that is not zero", "(uy)", "0100000002000001", "padding is not zero"],
  ["an empty tuple that is not zero", "()", "01", "an empty tuple is not zero"],
  ["a tuple without its offsets", "(sss)", "00", "too short for its offsets"],
  ["a tuple whose part reaches outside", "(ss)", "610062" + "0009", "a part reaches outside"],
  ["a tuple with a gap", "(sy)", "61000102" + "02", "bytes after the last part"],
  ["a maybe without its zero byte", "ms", "780001", "a maybe has no zero byte behind it"],
];
for (const [what, type, hex, message] of MALFORMED) {
  Deno.test(`decode() refuses ${what}`, () => {
    const error = assertThrows(() => decode(type, Uint8Array.fromHex(hex)), RangeError);
    assert(error.message.endsWith(`is malformed: ${message}`), error.message);
  });
}

Deno.test("decode() refuses offsets that are wider than needed", () => {
  const wide = new Uint8Array(258); // 250 bytes of strings and four offsets of two bytes; one byte each would do
  wide.fill(0x61, 0, 249);
  [1, 2, 3, 250].forEach((end, i) => new DataView(wide.buffer).setUint16(250 + 2 * i, end, true));
  wide[0] = wide[1] = wide[2] = 0;
  assertThrows(() => decode("as", wide), RangeError, "its offsets are wider than needed");
  const narrow = encode("as", ["", "", "", "a".repeat(246)]);
  assertEquals(narrow.length, 254);
});

Deno.test("decode() refuses variants nested 65 deep, and takes 60", () => {
  const nested = (depth: number): Variant => depth === 0 ? new Variant("y", 1) : new Variant("v", nested(depth - 1));
  const deep = (depth: number) => Uint8Array.fromHex("01" + "0079" + "0076".repeat(depth));
  assertEquals(decode("v", deep(60)), nested(60));
  assertThrows(() => decode("v", deep(65)), RangeError, "nested deeper than 64 containers");
  assertThrows(() => decode("v", deep(1_000_000)), RangeError, "nested deeper than 64 containers");
  assertThrows(() => encode("v", nested(65)), RangeError, "nested deeper than 64 containers");
});

for (
  const type of [
    "",
    "z",
    "(",
    "(s",
    "a",
    "s)",
    "{vs}",
    "{s}",
    "{ssy}",
    "ss",
    "mms",
    "a".repeat(70) + "s",
    "()".repeat(200),
  ]
) {
  Deno.test(`decode() rejects the type ${JSON.stringify(type.slice(0, 20))}`, () => {
    assertThrows(() => decode(type, new Uint8Array(1)), SyntaxError);
  });
}

const WRONG: [type: string, value: Value, error: typeof TypeError | typeof RangeError, message: string][] = [
  ["b", 1, TypeError, 'GVariant type "b" cannot be made from a number'],
  ["s", 1, TypeError, 'GVariant type "s" cannot be made from a number'],
  ["y", 1.5, TypeError, 'GVariant type "y" cannot be made from a number'],
  ["y", 256, RangeError, '256 is out of range for GVariant type "y"'],
  ["i", -(2 ** 31) - 1, RangeError, '-2147483649 is out of range for GVariant type "i"'],
  ["t", -1n, RangeError, '-1 is out of range for GVariant type "t"'],
  ["v", "x", TypeError, 'GVariant type "v" cannot be made from a string'],
  ["as", "x", TypeError, 'GVariant type "as" cannot be made from a string'],
  ["as", bytes(1), TypeError, 'GVariant type "as" cannot be made from bytes'],
  ["(ss)", ["x"], TypeError, 'GVariant type "(ss)" cannot be made from an array of 1'],
  ["s", null, TypeError, 'GVariant type "s" cannot be made from null'],
  ["s", "a\0b", RangeError, 'A GVariant string cannot hold "a\\u0000b"'],
  ["s", "\ud800", RangeError, 'A GVariant string cannot hold "\\ud800"'],
  ["o", "a", RangeError, '"a" is no value for GVariant type "o"'],
];
for (const [type, value, error, message] of WRONG) {
  Deno.test(`encode() says: ${message}`, () => {
    assertEquals(assertThrows(() => encode(type, value), error as typeof TypeError).message, message);
  });
}

Deno.test("decode() gives ay as a view, and reads from the middle of a buffer", () => {
  const whole = concat(bytes(9, 9, 9), encode("(yay)", [1, bytes(2, 3)]));
  const [, value] = decode("(yay)", whole.subarray(3)) as [number, Uint8Array];
  assertEquals([value, value.buffer], [bytes(2, 3), whole.buffer]);
});

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** A random value of a random type. */
function random(r: Random, depth: number): [type: string, value: Value] {
  const kind = r.below(depth > 0 ? 12 : 8);
  switch (kind) {
    case 0:
      return ["y", r.below(256)];
    case 1:
      return ["b", r.once(2)];
    case 2:
      return ["q", r.below(65536)];
    case 3:
      return ["i", r.below(2 ** 32) - 2 ** 31];
    case 4:
      return ["t", BigInt(r.below(2 ** 32)) << 20n];
    case 5:
      return ["d", r.below(1000) / 7];
    case 6:
      return ["s", r.name(r.once(10) ? 300 : 12)];
    case 7:
      return ["ay", r.bytes(r.below(r.once(10) ? 70_000 : 20))];
    case 8:
      return ["v", new Variant(...random(r, depth - 1))];
    case 9: {
      const [type, value] = random(r, depth - 1);
      return type.startsWith("m") ? [type, value] : [`m${type}`, r.once(2) ? null : value];
    }
    case 10: {
      const [type, value] = random(r, depth - 1);
      return type === "y" ? ["ay", bytes(1)] : [`a${type}`, Array.from({ length: r.below(6) }, () => value)];
    }
    default: {
      const parts = Array.from({ length: r.below(5) }, () => random(r, depth - 1));
      return [`(${parts.map(([type]) => type).join("")})`, parts.map(([, value]) => value)];
    }
  }
}

Deno.test("decode() gives back what encode() wrote, for 2,000 random values", () => {
  for (let seed = 0; seed < 2000; seed++) {
    const [type, value] = random(new Random(seed), 4);
    if (type.length > 255) continue;
    assertEquals(decode(type, encode(type, value)), value, `seed ${seed}, type ${type}`);
  }
});

Deno.test("decode() takes no two encodings for the same value, and fails with RangeError alone", () => {
  let taken = 0;
  for (let seed = 0; seed < 400; seed++) {
    const r = new Random(seed);
    const [type, value] = random(r, 4);
    const good = encode(type, value);
    if (type.length > 255 || good.length > 3000) continue;
    for (let i = 0; i < 50; i++) {
      let bad = good.slice();
      if (bad.length > 0 && !r.once(4)) {
        bad[r.once(3) ? bad.length - 1 - r.below(Math.min(4, bad.length)) : r.below(bad.length)] = r.below(256);
      } else bad = r.once(2) ? bad.slice(0, r.below(bad.length + 1)) : concat(bad, r.bytes(1 + r.below(3)));
      let again: Value;
      try {
        again = decode(type, bad);
      } catch (error) {
        assert(error instanceof RangeError, `seed ${seed}: ${error}`);
        continue;
      }
      taken++;
      assertEquals(encode(type, again).toHex(), bad.toHex(), `seed ${seed}, type ${type}`);
    }
  }
  assert(taken > 1000);
});

const ignore = !await hasProgram("ostree");
Deno.test("decode() and encode() give the same bytes as ostree for a commit with metadata", { ignore }, async () => {
  await using tmp = await tempDir();
  const ctx = plainContext(Deno.env.toObject());
  const repo = `--repo=${tmp.path}/repo`;
  await Deno.mkdir(`${tmp.path}/tree/usr`, { recursive: true });
  await Deno.writeTextFile(`${tmp.path}/tree/usr/file`, "x");
  await run(ctx, ["ostree", "init", repo, "--mode=archive"]);
  const commit = (await capture(ctx, [
    ...["ostree", "commit", repo, "-b", "test"] as const,
    ...["--add-metadata-string=text=a value", "--add-metadata=list=['a', 'b']", "--add-metadata=pair=(1, <true>)"],
    ...["--add-metadata=many={'x': <@as []>, 'y': <uint64 7>}", "--timestamp=@1700000000", `${tmp.path}/tree`],
  ])).trim();
  const data = await Deno.readFile(`${tmp.path}/repo/objects/${commit.slice(0, 2)}/${commit.slice(2)}.commit`);
  const type = "(a{sv}aya(say)sstayay)";
  const value = decode(type, data) as [[string, Variant][], ...Value[]];
  assertEquals(encode(type, value).toHex(), data.toHex());
  assertEquals(value[0], [
    ["text", new Variant("s", "a value")],
    ["list", new Variant("as", ["a", "b"])],
    ["pair", new Variant("(iv)", [1, new Variant("b", true)])],
    ["many", new Variant("a{sv}", [["x", new Variant("as", [])], ["y", new Variant("t", 7n)]])],
    ["ostree.ref-binding", new Variant("as", ["test"])],
  ]);
  const tree = await Deno.readFile(objectPath(tmp.path, (value[6] as Uint8Array).toHex(), "dirtree"));
  const treeType = "(a(say)a(sayay))";
  assertEquals(encode(treeType, decode(treeType, tree)).toHex(), tree.toHex());
});

function objectPath(root: string, checksum: string, extension: string): string {
  return `${root}/repo/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.${extension}`;
}
