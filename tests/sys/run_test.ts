import { assertEquals, assertRejects } from "@std/assert";
import { plainContext } from "../../lib/sys/context.ts";
import { Interrupted } from "../../lib/sys/errors.ts";
import { runGroup } from "../../lib/sys/run.ts";
import { tempDir } from "../temp.ts";

/** A context, and what aborts it once a file is there. */
function interrupted(when: string): ReturnType<typeof plainContext> {
  const controller = new AbortController();
  const look = setInterval(() => {
    if (!Deno.readDirSync(when).some(() => true)) return;
    clearInterval(look);
    controller.abort();
  }, 10);
  return { ...plainContext(Deno.env.toObject()), signal: controller.signal };
}

Deno.test("runGroup() gives the exit code", async () => {
  assertEquals(await runGroup(plainContext({}), ["/bin/sh", "-c", "exit 3"]), 3);
});

Deno.test("runGroup() ends what its tool started, which may clean up", async () => {
  await using tmp = await tempDir();
  await Deno.mkdir(`${tmp.path}/started`);
  const grandchild = `trap 'sleep 0.2; touch cleaned; exit' TERM; touch started/x; sleep 100 & wait`;
  const ctx = interrupted(`${tmp.path}/started`);
  await runGroup(ctx, ["sh", "-c", `trap 'exit 0' TERM; sh -c "$0" & wait`, grandchild], { cwd: tmp.path });
  assertEquals([...Deno.readDirSync(tmp.path)].map(({ name }) => name).sort(), ["cleaned", "started"]);
});

Deno.test("runGroup() starts nothing once interrupted", async () => {
  const ctx = { ...plainContext({}), signal: AbortSignal.abort() };
  await assertRejects(() => runGroup(ctx, ["/nonexistent"]), Interrupted);
});
