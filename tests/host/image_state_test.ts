import { assertEquals, assertThrows } from "@std/assert";
import { factsFromMetadata, imageStatus } from "../../lib/host/image_state.ts";

const digest = `sha256:${"a".repeat(64)}`;
const other = `sha256:${"b".repeat(64)}`;

function config(labels: Record<string, string>, created?: string): string {
  return JSON.stringify({
    architecture: "arm64",
    os: "linux",
    ...(created === undefined ? {} : { created }),
    config: { Labels: labels },
    rootfs: { type: "layers", diff_ids: [] },
  });
}

const V = "org.opencontainers.image.version", T = "org.opencontainers.image.created";
const rows: { what: string; config: string | undefined; version: string | null; timestamp: string | null }[] = [
  {
    what: "the labels first",
    config: config({ [V]: "42", version: "41", [T]: "2024-01-01T00:00:00Z" }, "2025-01-01T00:00:00Z"),
    version: "42",
    timestamp: "2024-01-01T00:00:00Z",
  },
  { what: "the old version label", config: config({ version: "41" }), version: "41", timestamp: null },
  {
    what: "created",
    config: config({}, "2025-01-01T00:00:00.5Z"),
    version: null,
    timestamp: "2025-01-01T00:00:00.500Z",
  },
  {
    what: "created where the label is no time",
    config: config({ [T]: "yesterday" }, "2025-01-01T00:00:00Z"),
    version: null,
    timestamp: "2025-01-01T00:00:00Z",
  },
  { what: "no time of the year 1", config: config({}, "0001-01-01T00:00:00Z"), version: null, timestamp: null },
];

for (const { what, config, version, timestamp } of rows) {
  Deno.test(`factsFromMetadata() takes ${what}`, () => {
    const facts = factsFromMetadata({ manifestDigest: digest, config });
    assertEquals(facts, { version, timestamp, imageDigest: digest, architecture: "arm64" });
  });
}

for (const missing of [undefined, "null"]) {
  Deno.test(`factsFromMetadata() takes ${missing} for the configuration of an old writer`, () => {
    const facts = factsFromMetadata({ manifestDigest: digest, config: missing });
    assertEquals(facts, { version: null, timestamp: null, imageDigest: digest, architecture: "" });
  });
}

Deno.test("factsFromMetadata() has the cached update", () => {
  const cached = { manifestDigest: other, config: config({ [V]: "43" }) };
  const facts = factsFromMetadata({ manifestDigest: digest, config: config({}), cached });
  assertEquals(facts.cachedUpdate, { version: "43", timestamp: null, imageDigest: other, architecture: "arm64" });
});

Deno.test("factsFromMetadata() passes over a damaged cached update", () => {
  const cached = { manifestDigest: other, config: "{" };
  const facts = factsFromMetadata({ manifestDigest: digest, config: config({}), cached });
  assertEquals("cachedUpdate" in facts, false);
});

Deno.test("factsFromMetadata() rejects a damaged digest", () => {
  assertThrows(() => factsFromMetadata({ manifestDigest: "sha256:1", config: undefined }), SyntaxError);
});

Deno.test("imageStatus() leaves the cached update out", () => {
  const cached = { manifestDigest: other, config: undefined };
  const facts = factsFromMetadata({ manifestDigest: digest, config: undefined, cached });
  assertEquals(imageStatus({ image: "a", transport: "oci" }, facts), {
    image: { image: "a", transport: "oci" },
    version: null,
    timestamp: null,
    imageDigest: digest,
    architecture: "",
  });
});
