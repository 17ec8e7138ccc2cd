import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { plainContext } from "../../lib/sys/context.ts";
import { keptDirectory, keyOf } from "../../scripts/kept.ts";
import "../libraries.ts";
import { tempDir } from "../temp.ts";

const HOUR_MS = 60 * 60 * 1000;
const contextOver = (cache: string) => plainContext({ PATH: "/usr/bin:/bin", XDG_CACHE_HOME: cache });
/** Without the locks. */
const names = (directory: string) =>
  [...Deno.readDirSync(directory)].map(({ name }) => name).filter((name) => !name.startsWith(".")).sort();
const write = (directory: string) => Deno.writeTextFile(`${directory}/file`, directory);
const KEYS = ["0".repeat(12), "1".repeat(12), "2".repeat(12)] as const;

Deno.test("keptDirectory() makes a directory once", async () => {
  await using tmp = await tempDir();
  let made = 0;
  const make = (directory: string) => (made++, write(directory));
  for (let i = 0; i < 2; i++) {
    const path = await keptDirectory(contextOver(tmp.path), { name: "thing", key: KEYS[0], make });
    assertEquals(path, `${tmp.path}/bootc-ts/thing-${KEYS[0]}`);
    assertEquals(names(path), ["file"]);
  }
  assertEquals(made, 1);
});

Deno.test("keptDirectory() leaves nothing of what failed", async () => {
  await using tmp = await tempDir();
  const make = async (directory: string) => {
    await write(directory);
    throw new Error("no");
  };
  await assertRejects(() => keptDirectory(contextOver(tmp.path), { name: "thing", key: KEYS[0], make }), Error, "no");
  assertEquals(names(`${tmp.path}/bootc-ts`), []);
});

Deno.test("keptDirectory() removes what nobody used for an hour, of its own name only", async () => {
  await using tmp = await tempDir();
  const ctx = contextOver(tmp.path);
  const cache = `${tmp.path}/bootc-ts`;
  for (const [name, key] of [["thing", KEYS[0]], ["thing", KEYS[1]], ["thing-x", KEYS[0]]] as const) {
    const path = await keptDirectory(ctx, { name, key, make: write });
    await Deno.utime(path, new Date(Date.now() - 2 * HOUR_MS), new Date(Date.now() - 2 * HOUR_MS));
  }
  await keptDirectory(ctx, { name: "thing", key: KEYS[1], make: write });
  await keptDirectory(ctx, { name: "thing", key: KEYS[2], make: write });
  assertEquals(names(cache), [`thing-${KEYS[1]}`, `thing-${KEYS[2]}`, `thing-x-${KEYS[0]}`]);
});

Deno.test("keptDirectory() lets one make it while others wait", async () => {
  await using tmp = await tempDir();
  const ctx = contextOver(tmp.path);
  let made = 0;
  const make = async (directory: string) => {
    made++;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await write(directory);
  };
  const ask = () => keptDirectory(ctx, { name: "thing", key: KEYS[0], make });
  assertEquals(new Set(await Promise.all([ask(), ask(), ask()])).size, 1);
  assertEquals(made, 1);
  assertEquals(names(`${tmp.path}/bootc-ts`), [`thing-${KEYS[0]}`]);
});

Deno.test("keyOf() tells texts and files apart by content and border", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/a`, "content");
  const url = new URL(`file://${tmp.path}/a`);
  assertEquals(await keyOf([url, "x"]), await keyOf([url, "x"]));
  assertNotEquals(await keyOf(["ab", "c"]), await keyOf(["a", "bc"]));
  assertNotEquals(await keyOf([url]), await keyOf(["content"]));
});
