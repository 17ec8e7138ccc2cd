import { assertEquals } from "@std/assert";
import { historyRows } from "../../lib/container/history.ts";
import { parseImageConfig } from "../../lib/oci/config.ts";
import { parseManifest } from "../../lib/oci/manifest.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const blob = (digit: string, size: number) => ({ mediaType: "application/octet-stream", digest: digest(digit), size });
const manifest = parseManifest({
  schemaVersion: 2,
  config: blob("0", 2),
  layers: [blob("a", 148), blob("b", 17_400)],
});
const config = (history: unknown[]) => parseImageConfig({ rootfs: { type: "layers", diff_ids: [] }, history });

const STEPS: [what: string, steps: Parameters<typeof historyRows>[1], createdBy: [string, string]][] = [
  [
    "passes steps without a layer over",
    config([{ created_by: "FROM" }, { created_by: "ENV", empty_layer: true }, { created_by: "RUN" }]),
    ["FROM", "RUN"],
  ],
  ["leaves out what the config does not say", config([{ comment: "x" }]), ["", ""]],
  ["does without a config", undefined, ["", ""]],
];

for (const [what, steps, [first, second]] of STEPS) {
  Deno.test(`historyRows() ${what}`, () => {
    assertEquals(historyRows(manifest, steps), [
      ["a".repeat(20), "148 bytes", first],
      ["b".repeat(20), "17.4\u00a0kB", second],
    ]);
  });
}
