import { assertEquals, assertThrows } from "@std/assert";
import { imageLayout } from "../../lib/container/layout.ts";
import { describePlan, planPull, requireSpace, type StoredLayers } from "../../lib/container/plan.ts";
import { parseImageConfig } from "../../lib/oci/config.ts";
import { parseManifest } from "../../lib/oci/manifest.ts";
import { UserError } from "../../lib/sys/errors.ts";

const digest = (n: number) => `sha256:${String(n).padStart(64, "0")}`;

interface Layer {
  readonly blob: number;
  readonly diff?: number;
  readonly size?: number;
  readonly mediaType?: string;
}

/** A layout of layers whose diff_id is their blob's number plus 100. */
function layout(layers: Layer[], labels: Record<string, string> = {}, diffIds?: string[]) {
  const manifest = parseManifest({
    schemaVersion: 2,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest(99), size: 2 },
    layers: layers.map(({ blob, size = 1000, mediaType = "application/vnd.oci.image.layer.v1.tar+gzip" }) => ({
      mediaType,
      digest: digest(blob),
      size,
    })),
  });
  const config = parseImageConfig({
    architecture: "amd64",
    os: "linux",
    config: { Labels: labels },
    rootfs: { type: "layers", diff_ids: diffIds ?? layers.map(({ blob, diff = blob + 100 }) => digest(diff)) },
  });
  return imageLayout(manifest, config);
}

const kinds = (of: ReturnType<typeof layout>) => of.layers.map(({ kind }) => kind);
const FINAL = "ostree.final-diffid";

Deno.test("imageLayout() finds the commit, the chunks and what was derived", () => {
  const layers = [{ blob: 1 }, { blob: 2 }, { blob: 3 }, { blob: 4 }];
  assertEquals(kinds(layout(layers)), ["derived", "derived", "derived", "derived"]);
  assertEquals(kinds(layout(layers, { [FINAL]: digest(101) })), ["commit", "derived", "derived", "derived"]);
  assertEquals(kinds(layout(layers, { [FINAL]: digest(103) })), ["commit", "chunk", "chunk", "derived"]);
  assertEquals(kinds(layout(layers, { [FINAL]: digest(104) })), ["commit", "chunk", "chunk", "chunk"]);
});

Deno.test("imageLayout() takes the last of equal layers for the end of the ostree part", () => {
  const layers = [{ blob: 1 }, { blob: 2 }, { blob: 2 }, { blob: 3 }];
  assertEquals(kinds(layout(layers, { [FINAL]: digest(102) })), ["commit", "chunk", "chunk", "derived"]);
});

const wrong: [what: string, make: () => unknown, says: string][] = [
  ["no layers", () => layout([]), "The image has no layers"],
  ["more layers than diff_ids", () => layout([{ blob: 1 }, { blob: 2 }], {}, [digest(101)]), "2 layers and 1 diff_ids"],
  [
    "a label that names no layer",
    () => layout([{ blob: 1 }], { [FINAL]: digest(7) }),
    "that label ostree.final-diffid names",
  ],
  ["a blob with two diff_ids", () => layout([{ blob: 1 }, { blob: 1, diff: 7 }]), "Layers 0 and 1 are the same blob"],
  ["a blob with two sizes", () => layout([{ blob: 1 }, { blob: 1, size: 7 }]), "Layers 0 and 1 are the same blob"],
  [
    "a blob that is a chunk and derived",
    () => layout([{ blob: 1 }, { blob: 2 }, { blob: 3 }, { blob: 2 }], { [FINAL]: digest(103) }),
    "Layers 1 and 3 are the same blob",
  ],
  ["an unknown media type", () => layout([{ blob: 1, mediaType: "text/plain" }]), "text/plain"],
];

for (const [what, make, says] of wrong) {
  Deno.test(`imageLayout() refuses ${what}`, () => void assertThrows(make, UserError, says));
}

Deno.test("planPull() fetches what is not stored: chunks, their commit, then derived layers", () => {
  const of = layout([1, 2, 3, 4, 5, 6, 5].map((blob) => ({ blob, size: blob })), { [FINAL]: digest(103) });
  const stored: StoredLayers = {
    byRef: (layer) => layer.digest === digest(4) ? "a commit" : undefined,
    byDiffId: (layer) => layer.diffId === digest(106) ? "another" : undefined,
  };
  const plan = planPull(of, stored);
  assertEquals(plan.sources.map(({ kind }) => kind), [
    "fetch",
    "fetch",
    "fetch",
    "stored",
    "fetch",
    "same-content",
    "repeated",
  ]);
  assertEquals(plan.fetch.map(({ index }) => index), [1, 2, 0, 4]);
  assertEquals(plan.fetchBytes, 11);
  assertEquals(describePlan(plan), "layers already present: 3; layers needed: 4 (11 bytes)");
});

Deno.test("requireSpace() counts what is reserved", () => {
  const plan = planPull(layout([{ blob: 1, size: 600 }]), { byRef: () => undefined, byDiffId: () => undefined });
  requireSpace(plan, { image: "x", availableBytes: 1000, reservedBytes: 400 });
  const error = assertThrows(
    () => requireSpace(plan, { image: "x", availableBytes: 1000, reservedBytes: 401 }),
    UserError,
  );
  assertEquals(error.message, "Insufficient free space for x (available: 599 bytes required: 600 bytes)");
});
