import { assertEquals, assertThrows } from "@std/assert";
import { parseManifest } from "../../lib/oci/manifest.ts";
import { parseDigest } from "../../lib/oci/digest.ts";

const A = `sha256:${"a".repeat(64)}`;
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: A, size: 2 };
const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: A, size: 3 };
const good = { schemaVersion: 2, config, layers: [layer] };

Deno.test("parseManifest() reads an OCI manifest from bytes, text and JSON", () => {
  const value = {
    ...good,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    annotations: { "ostree.commit": "c" },
    layers: [{ ...layer, annotations: { "ostree.components": "a,b" } }],
    subject: { kept: true },
  };
  const parsed = parseManifest(value);
  assertEquals(parsed.layers[0]!.annotations, { "ostree.components": "a,b" });
  assertEquals(parsed.annotations, { "ostree.commit": "c" });
  assertEquals(parsed.raw, value);
  assertEquals(parseManifest(JSON.stringify(value)), parsed);
  assertEquals(parseManifest(new TextEncoder().encode(JSON.stringify(value))), parsed);
});

Deno.test("parseManifest() reads a docker v2s2 manifest", () => {
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  assertEquals(parseManifest({ ...good, mediaType }).mediaType, mediaType);
});

Deno.test("parseManifest() takes null annotations as none", () => {
  assertEquals("annotations" in parseManifest({ ...good, annotations: null }), false);
});

Deno.test("parseManifest() takes the size of a layer that no disk holds", () => {
  const size = 999_999_999_999_999;
  assertEquals(parseManifest({ ...good, layers: [{ ...layer, size }] }).layers[0]!.size, size);
});

Deno.test("parseManifest() keeps a key like __proto__ an ordinary annotation", () => {
  const text = `{"schemaVersion":2,"config":${JSON.stringify(config)},"layers":[],"annotations":{"__proto__":"x"}}`;
  assertEquals(Object.entries(parseManifest(text).annotations!), [["__proto__", "x"]]);
});

for (
  const [fact, value, message] of [
    ["no JSON", "{", "Cannot parse image manifest: not valid JSON"],
    ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), "Cannot parse image manifest: not valid JSON"],
    ["a list", [], "Expected an object for image manifest, got a list"],
    ["null", null, "Expected an object for image manifest, got null"],
    ["deep nesting", "[".repeat(100_000), "Too deeply nested JSON in image manifest"],
    ["an index", { schemaVersion: 2, manifests: [] }, "Expected the manifest of one image, got a list of manifests"],
    [
      "an index's type",
      { ...good, mediaType: "application/vnd.oci.image.index.v1+json" },
      "Expected the manifest of one image, got a list of manifests",
    ],
    ["another type", { ...good, mediaType: "text/html" }, 'Unknown media type "text/html" of an image manifest'],
    ["schema 1", { ...good, schemaVersion: 1 }, "Expected schemaVersion 2 of the manifest, got 1"],
    ["no config", { ...good, config: undefined }, "Expected an object for the config of the manifest, got undefined"],
    ["no layers", { ...good, layers: undefined }, "Expected a list for layers of the manifest, got undefined"],
    ["a negative size", { ...good, layers: [{ ...layer, size: -1 }] }, "Invalid size -1 of layer 0 of the manifest"],
    ["half a byte", { ...good, layers: [{ ...layer, size: 0.5 }] }, "Invalid size 0.5 of layer 0 of the manifest"],
    [
      "an unsafe size",
      { ...good, layers: [{ ...layer, size: 2 ** 53 }] },
      "Invalid size 9007199254740992 of layer 0 of the manifest",
    ],
    ["a size in text", { ...good, layers: [{ ...layer, size: "3" }] }, 'Invalid size "3" of layer 0 of the manifest'],
    [
      "too large a sum",
      { ...good, layers: [{ ...layer, size: 2 ** 53 - 1 }, { ...layer, size: 2 ** 53 - 1 }] },
      "The layers of the manifest are larger together than any disk",
    ],
    [
      "a number as type",
      { ...good, layers: [{ ...layer, mediaType: 1 }] },
      "Expected a text for mediaType of layer 0 of the manifest, got a number",
    ],
    [
      "an annotation that is no text",
      { ...good, annotations: { a: 1 } },
      'Expected a text for annotations of the manifest "a", got a number',
    ],
    [
      "2049 layers",
      { ...good, layers: Array(2049).fill(layer) },
      "Too many layers in the manifest: 2049, at most 2048 are read",
    ],
  ] satisfies [string, unknown, string][]
) {
  Deno.test(`parseManifest() rejects ${fact}`, () => {
    assertEquals(assertThrows(() => parseManifest(value), SyntaxError).message, message);
  });
}

Deno.test("parseManifest() is not misled by brackets in texts", () => {
  const annotations = { note: '[[[["\\{'.repeat(100) };
  assertEquals(parseManifest(JSON.stringify({ ...good, annotations })).annotations, annotations);
});

Deno.test("parseDigest() takes sha256", () => {
  assertEquals(parseDigest(A), A);
});

for (
  const [text, message] of [
    [
      `sha512:${"a".repeat(128)}`,
      `Unsupported digest algorithm "sha512" in "sha512:${"a".repeat(128)}", only sha256 is`,
    ],
    ["sha256:abc", 'Invalid digest "sha256:abc"'],
    [`sha256:${"A".repeat(64)}`, `Invalid digest "sha256:${"A".repeat(64)}"`],
    [`${A}\n`, `Invalid digest ${JSON.stringify(`${A}\n`)}`],
    ["../../etc/passwd", 'Invalid digest "../../etc/passwd"'],
    ["", 'Invalid digest ""'],
  ] as const
) {
  Deno.test(`parseDigest() rejects ${JSON.stringify(text.slice(0, 20))}`, () => {
    assertEquals(assertThrows(() => parseDigest(text), SyntaxError).message, message);
  });
}
