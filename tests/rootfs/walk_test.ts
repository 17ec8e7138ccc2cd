import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Root } from "../../lib/rootfs/root.ts";
import { walk } from "../../lib/rootfs/walk.ts";
import { Interrupted } from "../../lib/sys/errors.ts";
import { mayMount } from "../may_mount.ts";
import { deepRoot, directory, fifo, rootOf, symlink, text } from "../root_files.ts";

const signal = new AbortController().signal;

async function seen(path: string, start = ""): Promise<string[]> {
  using root = Root.open(path);
  const paths: string[] = [];
  await walk(root, (entry) => paths.push(entry.path), { start, signal });
  return paths;
}

Deno.test("walk() sees each name once, a directory before its content, and goes behind no link", async () => {
  await using tmp = await rootOf({
    "b/c/d": text(""),
    "b/a": fifo,
    "b/up": symlink(".."),
    "b\xff/x": text(""),
    loop: symlink("loop"),
    out: symlink("/etc"),
    empty: directory,
  });
  const paths = ["b", "b/a", "b/c", "b/c/d", "b/up", "b\xff", "b\xff/x", "empty", "loop", "out"];
  assertEquals(await seen(tmp.path), paths);
  assertEquals(await seen(tmp.path, "b"), paths.slice(1, 5));
  assertEquals(await seen(tmp.path, "nothing"), []);
});

Deno.test("walk() goes through a directory of many names", async () => {
  await using tmp = await rootOf({ many: directory });
  for (let index = 0; index < 20_000; index++) Deno.writeTextFileSync(`${tmp.path}/many/${index}`, "");
  assertEquals((await seen(tmp.path)).length, 20_001);
});

Deno.test("walk() stops at the depth that no path can have", async () => {
  await using tmp = await deepRoot(2500);
  assertEquals((await seen(tmp.path)).length, 2049);
});

Deno.test("walk() names the directory for which it has no descriptor left", async () => {
  await using tmp = await deepRoot(200);
  const script = `
    import { Root } from ${JSON.stringify(new URL("../../lib/rootfs/root.ts", import.meta.url).href)};
    import { walk } from ${JSON.stringify(new URL("../../lib/rootfs/walk.ts", import.meta.url).href)};
    using root = Root.open(${JSON.stringify(tmp.path)});
    const failure = await walk(root, () => {}, { signal: new AbortController().signal }).catch((error) => error);
    console.log(failure.name, failure.message, failure.cause.message);`;
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `ulimit -n 128 && exec "$0" eval --quiet "$1"`, Deno.execPath(), script],
  }).output();
  assertMatch(
    new TextDecoder().decode(stdout),
    /^UserError Cannot look into \/d(\/d)+ openat: Too many open files\n$/,
  );
});

Deno.test("walk() passes over what it may not read, and says so", { ignore: Deno.uid() !== 0 }, async () => {
  // Root may read everything, so another user looks.
  await using tmp = await rootOf({ "secret/x": text(""), "open/y": text("") });
  Deno.chmodSync(`${tmp.path}`, 0o755);
  Deno.chmodSync(`${tmp.path}/secret`, 0o700);
  const script = `
    import { Root } from ${JSON.stringify(new URL("../../lib/rootfs/root.ts", import.meta.url).href)};
    import { walk } from ${JSON.stringify(new URL("../../lib/rootfs/walk.ts", import.meta.url).href)};
    using root = Root.open(${JSON.stringify(tmp.path)});
    const seen = [], refused = [];
    process.seteuid(65534);
    const { signal } = new AbortController();
    await walk(root, (entry) => seen.push(entry.path), { signal, refused: (path) => refused.push(path) });
    console.log(JSON.stringify({ seen, refused }));`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--quiet", script] }).output();
  const output = new TextDecoder().decode(stdout);
  if (output === "") throw new Error(new TextDecoder().decode(stderr));
  assertEquals(JSON.parse(output), { seen: ["open", "open/y", "secret"], refused: ["secret"] });
});

Deno.test("walk() goes into no mount", { ignore: !await mayMount() }, async () => {
  await using tmp = await rootOf({ "a/x": text(""), "b/y": text("") });
  const script = `mount --bind "$1/b" "$1/a" && exec "$2" eval --quiet "$3"`;
  const code = `
    import { Root } from ${JSON.stringify(new URL("../../lib/rootfs/root.ts", import.meta.url).href)};
    import { walk } from ${JSON.stringify(new URL("../../lib/rootfs/walk.ts", import.meta.url).href)};
    using root = Root.open(${JSON.stringify(tmp.path)});
    const seen = [];
    await walk(root, (entry) => seen.push(entry.path), { signal: new AbortController().signal });
    console.log(JSON.stringify(seen));`;
  const { stdout, stderr } = await new Deno.Command("unshare", {
    args: ["-m", "sh", "-c", script, "sh", tmp.path, Deno.execPath(), code],
  }).output();
  assertEquals([new TextDecoder().decode(stderr), new TextDecoder().decode(stdout)], ["", `["a","b","b/y"]\n`]);
});

Deno.test("walk() stops when it is interrupted", async () => {
  await using tmp = await rootOf({ "a/b/c": text("") });
  using root = Root.open(tmp.path);
  const controller = new AbortController();
  const visit = () => controller.abort();
  await assertRejects(() => walk(root, visit, { signal: controller.signal }), Interrupted);
});

Deno.test("walk() lets others work meanwhile", async () => {
  await using tmp = await rootOf({ "a/b/c": text(""), "d/e": text("") });
  using root = Root.open(tmp.path);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 10);
  const visit = () => {
    const end = performance.now() + 60;
    while (performance.now() < end);
  };
  await assertRejects(() => walk(root, visit, { signal: controller.signal }), Interrupted);
});
