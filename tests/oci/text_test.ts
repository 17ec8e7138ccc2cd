import { assertEquals, assertThrows } from "@std/assert";
import { canonicalJson } from "../../lib/oci/canonical_json.ts";
import { compareLayers, formatLayerDifference } from "../../lib/oci/compare.ts";
import { parseManifest } from "../../lib/oci/manifest.ts";
import { formatSize } from "../../lib/oci/size.ts";

// Each taken from g_format_size() of GLib 2.74.
for (
  const [bytes, text] of [
    [0, "0 bytes"],
    [1, "1 byte"],
    [2, "2 bytes"],
    [148, "148 bytes"],
    [999, "999 bytes"],
    [1000, "1.0\u00a0kB"],
    [1250, "1.2\u00a0kB"],
    [1350, "1.4\u00a0kB"],
    [1750, "1.8\u00a0kB"],
    [17_432, "17.4\u00a0kB"],
    [999_949, "999.9\u00a0kB"],
    [999_999, "1000.0\u00a0kB"],
    [1_000_000, "1.0\u00a0MB"],
    [2_250_000, "2.2\u00a0MB"],
    [5_350_000_000, "5.3\u00a0GB"],
    [999_999_999_999_999, "1000.0\u00a0TB"],
    [9_007_199_254_740_991, "9.0\u00a0PB"],
  ] as const
) {
  Deno.test(`formatSize() of ${bytes}`, () => assertEquals(formatSize(bytes), text));
}

for (
  const [value, text] of [
    [{ b: 1, a: [{ d: null, c: "x" }] }, '{"a":[{"c":"x","d":null}],"b":1}'],
    [
      { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 },
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    ],
    ['"\\/\u0007\u007f\u2028é', '"\\"\\\\/\\u0007\u007f\u2028é"'],
    [{ a: undefined, b: true }, '{"b":true}'],
    [[1e21, 0.1, -0, 1.0], "[1e+21,0.1,0,1]"],
    [JSON.parse('{"__proto__":1,"a":2}'), '{"__proto__":1,"a":2}'],
    [null, "null"],
  ] satisfies [unknown, string][]
) {
  Deno.test(`canonicalJson() writes ${text}`, () => assertEquals(canonicalJson(value), text));
}

for (const [value, message] of [[NaN, "No JSON for NaN"], [[undefined], "No JSON for undefined"]] as const) {
  Deno.test(`canonicalJson() rejects ${String(value)}`, () => {
    assertThrows(() => canonicalJson(value), TypeError, message);
  });
}

function image(layers: readonly (readonly [string, number])[]) {
  const of = ([letter, size]: readonly [string, number]) => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: `sha256:${letter.repeat(64)}`,
    size,
  });
  return parseManifest({ schemaVersion: 2, config: of(["0", 1]), layers: layers.map(of) });
}

Deno.test("compareLayers() finds what is new and what is gone, each digest once", () => {
  const difference = compareLayers(
    image([["a", 100], ["b", 2000], ["b", 2000]]),
    image([["a", 100], ["c", 30_000], ["d", 4], ["d", 4]]),
  );
  assertEquals(difference, {
    total: { layers: 3, bytes: 30_104 },
    removed: { layers: 1, bytes: 2000 },
    added: { layers: 2, bytes: 30_004 },
  });
  assertEquals(
    formatLayerDifference(difference),
    "Total new layers: 3     Size: 30.1\u00a0kB\n" +
      "Removed layers:   1     Size: 2.0\u00a0kB\n" +
      "Added layers:     2     Size: 30.0\u00a0kB",
  );
});

Deno.test("compareLayers() of an image with itself adds nothing", () => {
  const one = image([["a", 148]]);
  assertEquals(
    formatLayerDifference(compareLayers(one, one)),
    "Total new layers: 1     Size: 148 bytes\nRemoved layers:   0     Size: 0 bytes\nAdded layers:     0     Size: 0 bytes",
  );
});
