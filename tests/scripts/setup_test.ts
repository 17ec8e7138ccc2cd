import { assertEquals } from "@std/assert";
import { tempDir } from "../temp.ts";

const PROJECT = import.meta.dirname!.replace(/\/tests\/scripts$/, "");

Deno.test("setup.sh refuses an option that it does not know, also where CDPATH leads elsewhere", async () => {
  await using tmp = await tempDir();
  await Deno.mkdir(`${tmp.path}/scripts`);
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["scripts/setup.sh", "--bogus"],
    cwd: PROJECT,
    env: { CDPATH: tmp.path },
  }).output();
  const decoder = new TextDecoder();
  assertEquals([code, decoder.decode(stdout), decoder.decode(stderr)], [
    2,
    "",
    'setup: unknown option "--bogus": only --build is known\n',
  ]);
});
