import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Repo } from "../../lib/ostree/repo.ts";
import { Interrupted, UserError } from "../../lib/sys/errors.ts";
import { Random } from "../codec/random.ts";
import { file, type Node } from "../image.ts";
import { fsck, newRepo, plainImage, pullImage, refRoots, type TestStore, testStore } from "./harness.ts";

const DRIVER = new URL("./pull_process.ts", import.meta.url).pathname;
const LAYERS = 12;

/** An image whose layers take long enough for something to happen in the middle of one. */
function slowImage(store: TestStore): string {
  const noise = crypto.getRandomValues(new Uint8Array(20_000));
  const layers = Array.from({ length: LAYERS }, (_, layer) => {
    const tree: Record<string, Node> = {};
    for (let i = 0; i < 300; i++) {
      const body = noise.slice(0, 2000 + 50 * i);
      body.set([layer, i, i >> 8]);
      tree[`usr/layer${layer}/dir${i % 7}/file${i}`] = file(body);
    }
    return tree;
  });
  return plainImage(`${store.path}/image`, ...layers).reference;
}

/** Starts a pull in a process of its own; `line` settles with its n-th line of output. */
function start(store: TestStore, reference: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", DRIVER, store.repo, reference],
    clearEnv: true,
    env: { ...store.ctx.env, DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno` },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines: string[] = [];
  const output = (async () => {
    let text = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      lines.splice(0, Infinity, ...text.split("\n").slice(0, -1));
    }
  })();
  const until = async (count: number) => {
    while (lines.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return {
    child,
    lines,
    output,
    until,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // it has ended
      }
      await child.status;
      await output;
    },
  };
}

Deno.test("A pull that is killed leaves finished layers, which the next one reuses", async () => {
  await using store = await testStore("bare");
  const reference = slowImage(store);
  let finished = 0;
  for (const [round, delayMs] of [3, 17, 0, 31].entries()) {
    await using process = start(store, reference);
    const { child, lines, output, until } = process;
    await until(2); // the plan, and one more layer
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill("SIGKILL");
    await child.status;
    await output;
    const [present] = /\d+/.exec(lines[0]!)!;
    assert(Number(present) >= finished, `round ${round}: ${lines[0]} after ${finished}`);
    await fsck(store.repo);
    finished = Number(present) + lines.filter((line) => line.startsWith("done")).length;
    if (finished === LAYERS) break; // it was quicker than the kill
  }
  assert(finished > 0);
  await using last = start(store, reference);
  const { child, lines, output } = last;
  assertEquals((await child.status).code, 0);
  await output;
  assertMatch(lines[0]!, /^layers already present: [1-9]\d*; layers needed: \d+/);
  await fsck(store.repo);
  const clean = `${store.path}/clean`;
  await newRepo(clean, "bare");
  await pullImage(store.ctx, { repo: clean, reference });
  assertEquals(refRoots(store.repo), refRoots(clean));
});

for (const direct of [true, false]) {
  Deno.test(`A pull with ${direct ? "the direct" : "libostree's"} writer stops on a signal, and goes on in the same process`, async () => {
    await using store = await testStore("bare-user");
    const reference = slowImage(store);
    using repo = Repo.open(store.repo);
    for (const afterMs of [0, 30, 60, 120]) {
      const abort = new AbortController();
      const pulling = store.pull(reference, { direct }, { signal: abort.signal });
      const timer = setTimeout(() => abort.abort(), afterMs);
      const result = await Promise.allSettled([pulling]);
      clearTimeout(timer);
      if (result[0].status === "fulfilled") break;
      await assertRejects(() => pulling, Interrupted);
      await fsck(store.repo);
      repo.prepareTransaction(); // nothing holds the repository
      repo.abortTransaction();
    }
    const { image } = await store.pull(reference, { direct });
    assertEquals(repo.resolve([...repo.listRefs("ostree/container/image").keys()][0]!), image.commit);
    await fsck(store.repo);
  });
}

Deno.test("Two pulls into one repository at a time leave both images", async () => {
  await using store = await testStore("bare");
  const one = slowImage(store);
  const two = plainImage(`${store.path}/two`, { "usr/a": file("a") }, { "usr/b": file("b") }).reference;
  await using first = start(store, one);
  await first.until(2);
  await store.pull(two);
  await store.pull(two.replace("two", "./two"));
  assertEquals((await first.child.status).code, 0);
  await first.output;
  using repo = Repo.open(store.repo);
  assertEquals(repo.listRefs("ostree/container/image").size, 3);
  // The second pull has pruned the layers that the first one had no image for yet; they are back.
  assertEquals(repo.listRefs("ostree/container/blob").size, LAYERS + 2);
  await fsck(store.repo);
  assertEquals((await store.pull(one)).imported, 0);
});

Deno.test("A pull notices that another process pruned what it had imported", async () => {
  await using store = await testStore("bare");
  const reference = slowImage(store);
  await using process = start(store, reference);
  const { child, output, until } = process;
  await until(5);
  child.kill("SIGSTOP");
  using repo = Repo.open(store.repo);
  for (const ref of repo.listRefs("ostree/container/blob").keys()) repo.setRef(ref, null);
  await pruneWhenFree(repo);
  child.kill("SIGCONT");
  await child.status;
  await output;
  await fsck(store.repo);
  assertEquals((await store.pull(reference)).image.manifest.layers.length, LAYERS);
  await fsck(store.repo);
});

/** The stopped pull may hold the repository's lock: then nothing can be pruned, and the test shows nothing. */
async function pruneWhenFree(repo: Repo): Promise<void> {
  const limit = AbortSignal.timeout(1000);
  await Promise.allSettled([repo.prune({ signal: limit })]);
}

Deno.test("A pull that fails leaves no descriptor, child or temporary file behind", async () => {
  await using store = await testStore("bare");
  const layers = Array.from(
    { length: 6 },
    (_, i) => ({ [`usr/${i}`]: file(new Random(i).bytes(400_000)) }),
  );
  const written = plainImage(`${store.path}/image`, ...layers);
  const spoilt = `${store.path}/image/blobs/${written.layers[3]!.digest.replace(":", "/")}`;
  await Deno.writeFile(spoilt, new Uint8Array(400_000));
  await assertRejects(() => store.pull(written.reference), UserError); // libraries, rings and the like are there for good
  const before = descriptors();
  for (let i = 0; i < 3; i++) await assertRejects(() => store.pull(written.reference), UserError);
  assertEquals(descriptors(), before);
});

/** What the descriptors of this process lead to. */
function descriptors(): string[] {
  return Deno.readDirSync("/proc/self/fd").map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).replace(/\d+/g, "N");
    } catch {
      return ""; // that of the listing itself
    }
  }).toArray().sort();
}
