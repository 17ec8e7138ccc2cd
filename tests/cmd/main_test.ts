/** The edge itself: main.ts in a process of its own, with commands made for it. */
import { assertEquals } from "@std/assert";
import { tempDir } from "../temp.ts";

const ROOT = new URL("../../", import.meta.url);

/** A tree whose commands wait, print and read. */
const TREE = `
import { throwIfInterrupted } from "file://${ROOT.pathname}lib/sys/errors.ts";
const leaf = (run) => ({ summary: "X", load: () => Promise.resolve({ spec: { summary: "X", positionals: [], flags: {} }, run }) });
export const program = {
  callNames: {},
  root: { summary: "Test", commands: {
    wait: leaf(async (ctx) => {
      ctx.stderr.write("waiting\\n");
      await new Promise((resolve) => {
        const alive = setInterval(() => {}, 1000);
        ctx.signal.addEventListener("abort", () => { clearInterval(alive); resolve(); });
      });
      throwIfInterrupted(ctx.signal);
    }),
    hang: leaf(async (ctx) => {
      ctx.stderr.write("waiting\\n");
      ctx.signal.addEventListener("abort", () => ctx.stderr.write("asked to stop\\n"));
      await new Promise((resolve) => setTimeout(resolve, 20_000));
    }),
    print: leaf((ctx) => { for (let i = 0; i < 20_000; i++) ctx.stdout.write("a line that is long enough\\n"); ctx.note("do\\x1bne"); }),
    world: leaf(async (ctx) => {
      const stdin = new TextDecoder().decode(await ctx.readStdin());
      ctx.stdout.write(JSON.stringify([ctx.env.FACT, stdin, ctx.stdoutIsTerminal, ctx.columns(), ctx.argv0, ctx.euid, ctx.selfArgv]));
    }),
  } },
};
`;

/** main.ts as it stands, but with the tree above. */
async function edge(folder: string): Promise<string> {
  const text = await Deno.readTextFile(new URL("main.ts", ROOT));
  await Deno.writeTextFile(`${folder}/tree.js`, TREE);
  await Deno.writeTextFile(
    `${folder}/main.ts`,
    text.replace(`"./cmd/tree.ts"`, `"./tree.js"`).replaceAll(`"./lib/`, `"file://${ROOT.pathname}lib/`),
  );
  return `${folder}/main.ts`;
}

function start(main: string, args: string[], options: Deno.CommandOptions = {}): Deno.ChildProcess {
  const config = new URL("deno.json", ROOT).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "--config", config, main, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { FACT: "known", NO_COLOR: "1" },
    ...options,
  }).spawn();
}

/** Reads a child's stderr: until a text is there, and then the rest. */
class Stderr {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(child: Deno.ChildProcess) {
    this.#reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  }

  async until(wanted: string): Promise<void> {
    while (!this.#text.includes(wanted) && await this.#more());
  }

  async rest(): Promise<string> {
    while (await this.#more());
    return this.#text;
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#reader.read();
    this.#text += value ?? "";
    return !done;
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`main stops its work on ${signal} and exits with 130`, async () => {
    await using tmp = await tempDir();
    const child = start(await edge(tmp.path), ["wait"], { stdout: "null" });
    const stderr = new Stderr(child);
    await stderr.until("waiting\n");
    child.kill(signal);
    assertEquals(await stderr.rest(), "waiting\nerror: Interrupted\n");
    assertEquals(await child.status, { success: false, code: 130, signal: null });
  });
}

Deno.test("main takes signals that come together for one", async () => {
  await using tmp = await tempDir();
  const child = start(await edge(tmp.path), ["wait"], { stdout: "null" });
  const stderr = new Stderr(child);
  await stderr.until("waiting\n");
  child.kill("SIGINT");
  child.kill("SIGTERM");
  assertEquals(await stderr.rest(), "waiting\nerror: Interrupted\n");
  assertEquals(await child.status, { success: false, code: 130, signal: null });
});

Deno.test("main ends at once on a second signal", async () => {
  await using tmp = await tempDir();
  const child = start(await edge(tmp.path), ["hang"], { stdout: "null" });
  const stderr = new Stderr(child);
  await stderr.until("waiting\n");
  child.kill("SIGINT");
  await stderr.until("asked to stop\n");
  await new Promise((done) => setTimeout(done, 800));
  child.kill("SIGTERM");
  assertEquals(await stderr.rest(), "waiting\nasked to stop\n");
  assertEquals((await child.status).signal, "SIGTERM");
});

Deno.test("main goes on when the reader of its answer has gone", async () => {
  await using tmp = await tempDir();
  const child = start(await edge(tmp.path), ["print"]);
  await child.stdout.cancel();
  assertEquals(await new Stderr(child).rest(), "do\\u001bne\n");
  assertEquals((await child.status).code, 0);
});

Deno.test("main fails when its answer cannot be written", async () => {
  await using tmp = await tempDir();
  const main = await edge(tmp.path);
  const script = `exec "$0" run -A --quiet --no-check --config "$1" "$2" print > /dev/full`;
  const { code, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", script, Deno.execPath(), new URL("deno.json", ROOT).pathname, main],
    stdout: "piped",
    stderr: "piped",
  }).output();
  assertEquals(
    new TextDecoder().decode(stderr),
    "error: Cannot write to standard output: No space left on device (os error 28)\n",
  );
  assertEquals(code, 1);
});

Deno.test("main hands the world to the command", async () => {
  await using tmp = await tempDir();
  const main = await edge(tmp.path);
  const child = start(main, ["world"], { stdin: "piped", stderr: "null" });
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("from stdin"));
  await writer.close();
  const { code, stdout } = await child.output();
  const argv = [Deno.execPath(), "run", "-A", "--quiet", main, "world"];
  assertEquals(code, 0);
  const world = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals(world.toSpliced(4, 1), ["known", "from stdin", false, 80, Deno.uid(), argv]);
});
