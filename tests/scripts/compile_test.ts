import { assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../lib/sys/errors.ts";
import { compileArgv, findDenort } from "../../scripts/compile.ts";
import { tempDir } from "../temp.ts";

Deno.test("compileArgv() leaves out the code cache", () => {
  assertEquals(compileArgv({ main: "main.ts", output: "/out", arch: "arm64" }), [
    Deno.execPath(),
    "compile",
    "--quiet",
    "--allow-all",
    "--no-code-cache",
    "--v8-flags=--max-semi-space-size=1",
    "--target",
    "aarch64-unknown-linux-gnu",
    "--output",
    "/out",
    "main.ts",
  ]);
});

Deno.test("findDenort() takes DENORT_BIN before the cache", async () => {
  await using tmp = await tempDir();
  await Deno.writeTextFile(`${tmp.path}/denort`, "");
  assertEquals(await findDenort({ DENORT_BIN: `${tmp.path}/denort` }, "x64"), `${tmp.path}/denort`);
});

Deno.test("findDenort() does not fall back where DENORT_BIN names no file", async () => {
  await assertRejects(() => findDenort({ DENORT_BIN: "/nonexistent" }, "x64"), UserError, `"/nonexistent"`);
});

Deno.test("findDenort() says both ways to get one", async () => {
  await using tmp = await tempDir();
  const error = await assertRejects(() => findDenort({ XDG_CACHE_HOME: tmp.path }, "x64"), UserError);
  assertEquals(
    error.message,
    "No denort for x86_64-unknown-linux-gnu is at hand, the runtime that goes into the executable",
  );
  assertEquals(
    error.hint,
    `Set DENORT_BIN to a denort of Deno ${Deno.version.deno}, or fetch one with "sh scripts/setup.sh"`,
  );
});
