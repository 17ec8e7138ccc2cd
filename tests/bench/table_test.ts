import { assertEquals } from "@std/assert";
import { extraRow, memoryRow, ratioRow, table } from "../../bench/table.ts";

Deno.test("table() lines ratios, differences and memory up", () => {
  const rows = [
    ratioRow("pull", { ours: 2, other: 5, goal: 3, memoryMiB: 93.4 }),
    extraRow("status", { ours: 0.08, other: 0.03, goalMs: 60 }),
    memoryRow("memory", { seconds: 1, memoryMiB: 111, goalMiB: 110 }),
  ];
  assertEquals(
    table(rows),
    `
| case   |   bootc | against |    result |       goal | met | peak MiB |
|--------|--------:|--------:|----------:|-----------:|----:|---------:|
| pull   | 2.000 s | 5.000 s |    2.50 x |     >= 3 x |  NO |       93 |
| status |   80 ms |   30 ms |    +50 ms |  <= +60 ms | yes |          |
| memory | 1.000 s |         | 111.0 MiB | <= 110 MiB |  NO |      111 |
`.trim(),
  );
});
