import { assertEquals } from "@std/assert";
import { ostreeInit } from "../ostree_cli.ts";
import { tempDir } from "../temp.ts";

const lib = (file: string) => new URL(`../../lib/ostree/${file}.ts`, import.meta.url).href;
const config = new URL("../../deno.json", import.meta.url).pathname;

/** Runs a script in a process of its own, where no test has opened anything yet. */
async function evaluate(script: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", `--config=${config}`, script],
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("Importing lib/ostree opens no library: only its use does", async () => {
  const files = ["glib", "libostree", "repo", "sysroot", "sepolicy", "content_writer", "deployment"];
  const output = await evaluate(`
    ${files.map((file) => `await import("${lib(file)}");`).join("\n")}
    const maps = await Deno.readTextFile("/proc/self/maps");
    await Deno.stdout.write(new TextEncoder().encode(String(/libostree|libgio|libglib/.test(maps))));
  `);
  assertEquals(output, "false");
});

Deno.test("ostree() survives the end of a worker that has opened it", async () => {
  await using tmp = await tempDir();
  await ostreeInit(tmp.path, "archive");
  const worker = `
    const { Repo } = await import("${lib("repo")}");
    postMessage(Repo.open("${tmp.path}").mode);
    close();
  `;
  const output = await evaluate(`
    for (let i = 0; i < 3; i++) {
      const url = URL.createObjectURL(new Blob([${JSON.stringify(worker)}], { type: "text/javascript" }));
      const worker = new Worker(url, { type: "module" });
      const mode = await new Promise((done) => worker.onmessage = (event) => done(event.data));
      worker.terminate();
      await new Promise((done) => setTimeout(done, 50));
      await Deno.stdout.write(new TextEncoder().encode(mode + " "));
    }
  `);
  assertEquals(output, "archive archive archive ");
});
