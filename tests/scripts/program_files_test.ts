import { assertEquals } from "@std/assert";
import { plainContext } from "../../lib/sys/context.ts";
import { copyProgram, programFiles } from "../../scripts/program_files.ts";
import { tempDir } from "../temp.ts";

const FILES: Readonly<Record<string, string>> = {
  "deno.json": `{ "nodeModulesDir": "manual", "links": ["./linked/one"] }`,
  "linked/one/deno.json": `{ "name": "@x/one", "version": "1.0.0", "exports": "./mod.ts" }`,
  "linked/one/mod.ts": "",
  "package.json": `{ "dependencies": { "pack": "1.0.0", "other": "1.0.0" } }`,
  "node_modules/pack/package.json":
    `{ "name": "pack", "version": "1.0.0", "type": "module", "exports": { "./a/*": "./a/*" } }`,
  "node_modules/pack/a/one.js": `export { two } from "../b/two.js";`,
  "node_modules/pack/b/two.js": `/** @example import "./nowhere.js" */ import "./three.js"; export const two = 2;`,
  "node_modules/pack/b/three.js": "",
  "node_modules/pack/c/never.js": "",
  "node_modules/other/package.json": `{ "name": "other", "version": "1.0.0" }`,
  "main.ts": `import { two } from "npm:pack@1.0.0/a/one.js"; import("./later.ts"); two;`,
  "later.ts": "",
  "never.ts": "",
};

const REACHED = [
  "deno.json",
  "later.ts",
  "linked/one/deno.json",
  "main.ts",
  "node_modules/pack/a/one.js",
  "node_modules/pack/b/three.js",
  "node_modules/pack/b/two.js",
  "node_modules/pack/package.json",
  "package.json",
];

async function project(directory: string): Promise<string> {
  for (const [name, text] of Object.entries(FILES)) {
    const path = `${directory}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  return directory;
}

const ctx = plainContext(Deno.env.toObject());

Deno.test("programFiles() gives what is imported, what that imports, and the configurations", async () => {
  await using tmp = await tempDir();
  assertEquals(await programFiles(ctx, await project(tmp.path), "main.ts"), REACHED);
});

Deno.test("programFiles() finds them in a folder whose name a URL would escape", async () => {
  await using tmp = await tempDir();
  assertEquals(await programFiles(ctx, await project(`${tmp.path}/a b'ü%41#?`), "main.ts"), REACHED);
});

Deno.test("copyProgram() copies those files alone, with one modification time", async () => {
  await using tmp = await tempDir();
  const from = await project(`${tmp.path}/from`);
  await copyProgram(ctx, from, "main.ts", `${tmp.path}/to`);
  for (const name of Object.keys(FILES)) {
    const info = await Deno.stat(`${tmp.path}/to/${name}`).catch(() => undefined);
    assertEquals(info?.mtime?.getTime(), REACHED.includes(name) ? 0 : undefined, name);
  }
});
