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

Deno.test("findDenort() takes that of an unpacked vendor archive before the cache", async () => {
  await using tmp = await tempDir();
  const path = `${tmp.path}/vendor/cache/denort-arm64`;
  await Deno.mkdir(`${tmp.path}/vendor/cache`, { recursive: true });
  await Deno.writeTextFile(path, "");
  assertEquals(await findDenort({ XDG_CACHE_HOME: tmp.path }, "arm64", tmp.path), path);
});

Deno.test("findDenort() does not fall back where DENORT_BIN names no file", async () => {
  await assertRejects(() => findDenort({ DENORT_BIN: "/nonexistent" }, "x64"), UserError, `"/nonexistent"`);
});

Deno.test("findDenort() says both ways to get one", async () => {
  await using tmp = await tempDir();
  const error = await assertRejects(() => findDenort({ XDG_CACHE_HOME: tmp.path }, "x64", tmp.path), UserError);
  assertEquals(
    error.message,
    "No denort for x86_64-unknown-linux-gnu is at hand, the runtime that goes into the executable",
  );
  assertEquals(
    error.hint,
    `Set DENORT_BIN to a denort of Deno ${Deno.version.deno}, or fetch one with "sh scripts/setup.sh"`,
  );
});

const NOT_COMPILED: [what: string, words: string[], env: Record<string, string>, stderr: string][] = [
  ["an output without a name", ["--output", ""], {}, "error: The executable has no name\nhint: Give one to --output\n"],
  [
    "a TMPDIR that is not there",
    ["--output", "/nonexistent/bootc"],
    { TMPDIR: "/nonexistent" },
    'error: Cannot make a scratch directory in "/nonexistent": No such file or directory (os error 2): tmpdir\n' +
    "hint: Set TMPDIR to a directory that you may write to\n",
  ],
];

for (const [what, words, env, expected] of NOT_COMPILED) {
  Deno.test(`compile refuses ${what}`, async () => {
    await using tmp = await tempDir();
    await Deno.writeTextFile(`${tmp.path}/denort`, "");
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", `${import.meta.dirname!}/../../scripts/compile.ts`, ...words],
      env: { DENORT_BIN: `${tmp.path}/denort`, ...env },
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [1, expected]);
  });
}
