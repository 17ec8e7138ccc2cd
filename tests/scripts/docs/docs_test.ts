import { assertEquals } from "@std/assert";
import { drift } from "../../../scripts/docs.ts";
import { makeOutputs } from "../../../scripts/docs/outputs.ts";
import { scriptContext } from "../../../scripts/script.ts";
import { tempDir } from "../../temp.ts";

const outputs = await makeOutputs(scriptContext());

Deno.test("manual pages, completions and schemas are what their sources give (else: deno task docs)", async () => {
  assertEquals(await drift(outputs), []);
});

Deno.test("makeOutputs() gives the same twice", async () => {
  assertEquals(await makeOutputs(scriptContext()), outputs);
});

Deno.test("drift() names what is missing, changed and left over", async () => {
  await using tmp = await tempDir();
  for (const folder of ["man", "completions", "docs"]) await Deno.mkdir(`${tmp.path}/${folder}`);
  const texts = {
    "man/old.8": "",
    "man/prose.5.md": "",
    "man/a.8": "other",
    "completions/old": "",
    "docs/code.md": "",
  };
  for (const [path, text] of Object.entries(texts)) await Deno.writeTextFile(`${tmp.path}/${path}`, text);
  const wanted = new Map([["man/a.8", "a"], ["docs/a.schema.json", "b"]]);
  assertEquals(await drift(wanted, tmp.path), [
    { path: "completions/old", kind: "left over" },
    { path: "docs/a.schema.json", kind: "missing" },
    { path: "man/a.8", kind: "changed" },
    { path: "man/old.8", kind: "left over" },
  ]);
});
