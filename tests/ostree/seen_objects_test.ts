import { assertEquals } from "@std/assert";
import { SeenObjects } from "../../lib/ostree/seen_objects.ts";
import { sha256 } from "../../lib/codec/sha256.ts";
import "../libraries.ts";
import { close, cstr, openat } from "../../lib/sys/libc.ts";
import { tempDir } from "../temp.ts";

const checksum = (n: number) => sha256(new TextEncoder().encode(String(n)));

Deno.test("SeenObjects.perhaps() is true for all that was added, and rarely for anything else", () => {
  const seen = new SeenObjects();
  for (let i = 0; i < 50_000; i++) seen.add(checksum(i));
  let wrong = 0;
  for (let i = 0; i < 100_000; i++) {
    const answer = seen.perhaps(checksum(i));
    if (i < 50_000) assertEquals(answer, true);
    else if (answer) wrong++;
  }
  assertEquals(wrong < 500, true, `${wrong} of 50000`);
});

Deno.test("SeenObjects.unlisted() lists a directory of objects after many questions", async () => {
  await using tmp = await tempDir();
  const name = checksum(1).toHex();
  await Deno.mkdir(`${tmp.path}/${name.slice(0, 2)}`);
  await Deno.writeTextFile(`${tmp.path}/${name.slice(0, 2)}/${name.slice(2)}.file`, "");
  await Deno.writeTextFile(`${tmp.path}/${name.slice(0, 2)}/something else`, "");
  const shards = new Uint8Array(256);
  shards[checksum(1)[0]!] = 1;
  const objects = openat(-100, cstr(tmp.path), 0);
  const seen = new SeenObjects();
  let questions = 0;
  while (seen.unlisted(objects, shards)) questions++;
  close(objects);
  assertEquals(questions, 2000);
  assertEquals([seen.perhaps(checksum(1)), seen.perhaps(checksum(2))], [true, false]);
});
