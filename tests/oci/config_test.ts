import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { imageTimestamp, imageVersion, ociArchitecture, parseImageConfig } from "../../lib/oci/config.ts";
import { parseManifest } from "../../lib/oci/manifest.ts";

const A = `sha256:${"a".repeat(64)}`;
const rootfs = { type: "layers", diff_ids: [A] };
const CREATED = "org.opencontainers.image.created";

function manifest(annotations?: Record<string, string>) {
  const descriptor = { mediaType: "x", digest: A, size: 1 };
  return parseManifest({ schemaVersion: 2, config: descriptor, layers: [], ...(annotations && { annotations }) });
}

Deno.test("parseImageConfig() reads what an image says of itself", () => {
  const raw = {
    architecture: "amd64",
    os: "linux",
    created: "2024-01-02T03:04:05Z",
    config: { Labels: { a: "b" }, Cmd: ["x"] },
    rootfs,
    history: [{ created_by: "one", comment: "c", created: "x" }, { empty_layer: true }],
  };
  assertEquals(parseImageConfig(JSON.stringify(raw)), {
    architecture: "amd64",
    os: "linux",
    created: "2024-01-02T03:04:05Z",
    labels: { a: "b" },
    diffIds: [A as `sha256:${string}`],
    history: [{ created: "x", createdBy: "one", comment: "c", emptyLayer: false }, { emptyLayer: true }],
    raw,
  });
});

Deno.test("parseImageConfig() takes what Go leaves out or writes as null", () => {
  const { labels, diffIds, history, architecture } = parseImageConfig({
    config: { Labels: null },
    rootfs: { diff_ids: null },
    history: null,
  });
  assertEquals({ labels, diffIds, history, architecture }, { labels: {}, diffIds: [], history: [], architecture: "" });
});

for (
  const [fact, value, message] of [
    ["no rootfs", {}, "Expected an object for rootfs of the configuration, got undefined"],
    [
      "labels that are a list",
      { rootfs, config: { Labels: [] } },
      "Expected an object for labels of the configuration, got a list",
    ],
    [
      "a label that is no text",
      { rootfs, config: { Labels: { a: 1 } } },
      'Expected a text for labels of the configuration "a", got a number',
    ],
    ["a wrong diff_id", { rootfs: { diff_ids: ["x"] } }, 'Invalid digest "x"'],
    [
      "too many diff_ids",
      { rootfs: { diff_ids: Array(2049).fill(A) } },
      "Too many diff_ids in the configuration: 2049, at most 2048 are read",
    ],
    [
      "history that is no list",
      { rootfs, history: {} },
      "Expected a list for history of the configuration, got an object",
    ],
    [
      "an architecture that is no text",
      { rootfs, architecture: 1 },
      "Expected a text for architecture of the configuration, got a number",
    ],
  ] satisfies [string, unknown, string][]
) {
  Deno.test(`parseImageConfig() rejects ${fact}`, () => {
    assertEquals(assertThrows(() => parseImageConfig(value), SyntaxError).message, message);
  });
}

for (
  const [labels, version] of [
    [{ "org.opencontainers.image.version": "2", version: "1" }, "2"],
    [{ version: "1" }, "1"],
    [{}, undefined],
  ] as const
) {
  Deno.test(`imageVersion() of ${JSON.stringify(labels)}`, () => {
    assertEquals(imageVersion(parseImageConfig({ rootfs, config: { Labels: labels } })), version);
  });
}

for (
  const [annotation, created, expected] of [
    ["2024-05-06T07:08:09Z", "2020-01-01T00:00:00Z", "2024-05-06T07:08:09.000Z"],
    [undefined, "2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00.123Z"],
    ["nonsense", "2020-01-01T02:00:00+02:00", "2020-01-01T00:00:00.000Z"],
    [undefined, "0001-01-01T00:00:00Z", undefined],
    [undefined, "2020-13-01T00:00:00Z", undefined],
    [undefined, "2020", undefined],
    [undefined, undefined, undefined],
  ] as const
) {
  Deno.test(`imageTimestamp() of annotation ${annotation} and created ${created}`, () => {
    const config = parseImageConfig({ rootfs, created });
    const time = imageTimestamp(manifest(annotation === undefined ? undefined : { [CREATED]: annotation }), config);
    assertEquals(time?.toISOString(), expected);
  });
}

Deno.test("ociArchitecture() is Go's word", () => {
  assertMatch(ociArchitecture(), /^(amd64|arm64)$/);
});
