import { assertEquals } from "@std/assert";
import { bootc, bootcWith } from "./bootc.ts";

const DOCS = new URL("../../docs/", import.meta.url);

for (const [of, file] of [["host", "host-v1.schema.json"], ["progress", "progress-v0.schema.json"]] as const) {
  Deno.test(`internals print-json-schema --of ${of} prints docs/${file}, for anyone (X5)`, async () => {
    const { code, stdout, stderr } = await bootcWith({ euid: 65534 }, "internals", "print-json-schema", "--of", of);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(stdout), JSON.parse(await Deno.readTextFile(new URL(file, DOCS))));
    assertEquals(stdout.endsWith("}\n"), true);
  });
}

Deno.test("internals print-json-schema refuses a format that it does not know", async () => {
  const { code, stdout, stderr } = await bootc("internals", "print-json-schema", "--of=hots");
  assertEquals([code, stdout, stderr.split("\n").slice(0, 2)], [2, "", [
    `error: Option "--of" takes "host" or "progress", not "hots"`,
    `hint: Did you mean "host"?`,
  ]]);
});
