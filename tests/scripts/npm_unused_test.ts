import { assertEquals } from "@std/assert";
import { plainContext } from "../../lib/sys/context.ts";
import { unusedNpmPaths } from "../../scripts/npm_unused.ts";
import { tempDir } from "../temp.ts";

Deno.test("unusedNpmPaths() keeps what is imported, and what that imports", async () => {
  await using tmp = await tempDir();
  const files: Record<string, string> = {
    "deno.json": `{ "nodeModulesDir": "manual" }`,
    "package.json": `{ "dependencies": { "pack": "1.0.0", "@used/pack": "1.0.0" } }`,
    "node_modules/pack/package.json":
      `{ "name": "pack", "version": "1.0.0", "type": "module", "exports": { "./a/*": "./a/*" } }`,
    "node_modules/pack/a/one.js": `export { two } from "../b/two.js";`,
    "node_modules/pack/b/two.js": `/** @example import "./nowhere.js" */ import "./three.js"; export const two = 2;`,
    "node_modules/pack/b/three.js": ``,
    "node_modules/pack/c/never.js": ``,
    "node_modules/only-for-development/package.json": `{ "name": "only-for-development", "version": "1.0.0" }`,
    "node_modules/only-for-development/lib/x.js": ``,
    "node_modules/@scope/pack/index.js": ``,
    "node_modules/@used/pack/package.json": `{ "name": "@used/pack", "version": "1.0.0", "exports": "./a/b.js" }`,
    "node_modules/@used/pack/a/b.js": ``,
    "node_modules/@used/pack/c/d.js": ``,
    "node_modules/.bin/x": ``,
    "node_modules/.package-lock.json": `{}`,
    "main.ts": `import { two } from "npm:pack@1.0.0/a/one.js"; two; import "npm:@used/pack@1.0.0";`,
  };
  for (const [name, text] of Object.entries(files)) {
    const path = `${tmp.path}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  const found = await unusedNpmPaths(plainContext(Deno.env.toObject()), tmp.path, "main.ts");
  assertEquals(found, [
    "node_modules/.bin",
    "node_modules/.package-lock.json",
    "node_modules/@scope",
    "node_modules/@used/pack/c",
    "node_modules/only-for-development",
    "node_modules/pack/c",
  ]);
});
