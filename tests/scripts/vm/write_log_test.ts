import { assertEquals, assertThrows } from "@std/assert";
import { replay } from "../../../scripts/vm/write_log.ts";
import { tempDir } from "../../temp.ts";

const SECTOR = 512;
const FLUSH = 1n, DISCARD = 4n;

/** One write: where, and what each of its sectors is full of. */
interface Write {
  readonly sector: number;
  readonly fill: readonly number[];
}
type Entry = Write | "flush" | { readonly discard: number };

function entryOf(entry: Entry): Uint8Array<ArrayBuffer>[] {
  const head = new Uint8Array(SECTOR);
  const view = new DataView(head.buffer);
  const set = (values: readonly bigint[]) => values.forEach((value, i) => view.setBigUint64(i * 8, value, true));
  if (entry === "flush") set([0n, 0n, FLUSH]);
  else if ("discard" in entry) set([BigInt(entry.discard), 1n, DISCARD]);
  else set([BigInt(entry.sector), BigInt(entry.fill.length), 0n]);
  const data = typeof entry === "object" && "fill" in entry ? entry.fill : [];
  return [head, ...data.map((value) => new Uint8Array(SECTOR).fill(value))];
}

/** A log whose head counts the entries up to the last flush, as QEMU writes it. */
function logOf(entries: readonly Entry[], counted = entries.lastIndexOf("flush") + 1): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(SECTOR);
  const view = new DataView(head.buffer);
  view.setBigUint64(0, 0x6a736677736872n, true);
  view.setBigUint64(8, 1n, true);
  view.setBigUint64(16, BigInt(counted), true);
  view.setUint32(24, SECTOR, true);
  const pieces = [head, ...entries.flatMap(entryOf)];
  const log = new Uint8Array(pieces.length * SECTOR);
  pieces.forEach((piece, i) => log.set(piece, i * SECTOR));
  return log;
}

const write = (sector: number, ...fill: number[]): Write => ({ sector, fill });

const rows: [fact: string, entries: Entry[], sectors: number[], lost: number][] = [
  ["writes what was flushed", [write(0, 1, 2), write(3, 4), "flush"], [1, 2, 0, 4], 0],
  ["drops what came after the last flush", [write(0, 1), "flush", write(1, 2), "flush", write(2, 3)], [1, 2, 0, 0], 1],
  ["takes the later of two writes", [write(1, 1), write(1, 2), "flush", write(1, 3), write(0, 1)], [0, 2, 0, 0], 2],
  ["leaves what was discarded", [write(0, 1), "flush", { discard: 0 }, write(1, 2), "flush"], [1, 2, 0, 0], 0],
];

for (const [fact, entries, sectors, lost] of rows) {
  Deno.test(`replay() ${fact}`, async () => {
    await using tmp = await tempDir();
    await Deno.writeFile(`${tmp.path}/log`, logOf(entries));
    await Deno.writeFile(`${tmp.path}/disk`, new Uint8Array(4 * SECTOR));
    assertEquals(replay(`${tmp.path}/log`, `${tmp.path}/disk`).lost, lost);
    const disk = await Deno.readFile(`${tmp.path}/disk`);
    assertEquals([0, 1, 2, 3].map((i) => disk[i * SECTOR]), sectors);
    assertEquals(disk.length, 4 * SECTOR);
  });
}

const bad: [fact: string, log: Uint8Array<ArrayBuffer>, message: string][] = [
  ["another file", new Uint8Array(SECTOR).fill(1), "is no write log"],
  ["a log that is cut short", logOf([write(0, 1, 2), "flush"]).subarray(0, 2 * SECTOR), "The write log ends at byte"],
  ["an entry that was never written", logOf([write(0), "flush"]), "Entry 0 of the write log is empty"],
];

for (const [fact, log, message] of bad) {
  Deno.test(`replay() refuses ${fact}`, async () => {
    await using tmp = await tempDir();
    await Deno.writeFile(`${tmp.path}/log`, log);
    await Deno.writeFile(`${tmp.path}/disk`, new Uint8Array(4 * SECTOR));
    assertThrows(() => replay(`${tmp.path}/log`, `${tmp.path}/disk`), SyntaxError, message);
  });
}

Deno.test("replay() does nothing where nothing was flushed", async () => {
  await using tmp = await tempDir();
  await Deno.writeFile(`${tmp.path}/log`, new Uint8Array(0));
  assertEquals(replay(`${tmp.path}/log`, `${tmp.path}/no disk is touched`), { kept: 0, lost: 0 });
});
