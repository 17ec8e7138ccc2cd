import { assertEquals } from "@std/assert";
import { Trickle } from "../../lib/container/trickle.ts";

const K = 1024;

const rows: [fact: string, reads: number[], ms: number[]][] = [
  ["waits for nothing where the first read is small", [10], [0]],
  ["waits longer with each small read, up to 16 ms", [K, K, K, K, K, K, K, K], [0, 1, 2, 4, 8, 16, 16, 16]],
  ["waits for nothing where reads are large", [64 * K, 256 * K, 32 * K], [0, 0, 0]],
  ["waits less when reads are large again", [K, K, K, K, 64 * K, 64 * K, 64 * K], [0, 1, 2, 4, 2, 1, 0]],
];

for (const [fact, reads, ms] of rows) {
  Deno.test(`Trickle ${fact}`, () => {
    const trickle = new Trickle();
    const waits = () => reads.map((bytes) => (trickle.saw(bytes), trickle.ms));
    assertEquals(waits(), ms);
    trickle.reset();
    assertEquals(waits(), ms);
  });
}
