import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Deployment } from "../../lib/ostree/deployment.ts";
import { GlibError } from "../../lib/ostree/glib.ts";
import { Origin } from "../../lib/ostree/origin.ts";
import { Sysroot } from "../../lib/ostree/sysroot.ts";
import { type Context, plainContext } from "../../lib/sys/context.ts";
import { Interrupted, UserError } from "../../lib/sys/errors.ts";
import {
  deployWithOstree,
  listDeployments,
  makeOsCommit,
  makeSysroot,
  sysrootDirectory,
  type TestSysroot,
} from "../sysroot.ts";

const KARGS = ["root=LABEL=root", "rw"];
const IMAGE = "ostree-unverified-registry:quay.io/example/os:latest";

/** A system root with two deployments, made by ostree. */
async function twoDeployments(path: string): Promise<{ sysroot: TestSysroot; checksums: [string, string] }> {
  const sysroot = await makeSysroot(path);
  const first = await makeOsCommit(sysroot.repo, { kernelVersion: "6.1" });
  await deployWithOstree(sysroot);
  const second = await makeOsCommit(sysroot.repo, { kernelVersion: "6.2" });
  await deployWithOstree(sysroot);
  return { sysroot, checksums: [second, first] };
}

const order = (deployments: readonly Deployment[]) => deployments.map((d) => `${d.checksum}.${d.serial}`);
const plainArguments = (d: Deployment | undefined) => d?.kernelArguments.filter((a) => !a.startsWith("ostree="));

Deno.test("Sysroot.open() says which directory is no system root", async () => {
  await using tmp = await sysrootDirectory();
  const error = assertThrows(() => Sysroot.open(tmp.path), UserError);
  assertEquals(error.message, `Cannot read the system root "${tmp.path}"`);
});

Deno.test("Sysroot.deployments() of a fresh system root is empty", async () => {
  await using tmp = await sysrootDirectory();
  const made = await makeSysroot(tmp.path);
  using sysroot = Sysroot.open(made.path);
  assertEquals(sysroot.deployments(), []);
  assertEquals(sysroot.booted, undefined);
  assertEquals(sysroot.staged, undefined);
  using repo = sysroot.repo();
  assertEquals([repo.mode, repo.path], ["bare", made.repo]);
});

Deno.test("Sysroot.deployments() reads what ostree deployed, the next to boot first", async () => {
  await using tmp = await sysrootDirectory();
  const { sysroot: made, checksums } = await twoDeployments(tmp.path);
  using sysroot = Sysroot.open(made.path);
  const [next, other, ...more] = sysroot.deployments();
  assertEquals([next?.checksum, other?.checksum, more.length], [...checksums, 0]);
  assertEquals(next?.path, `${tmp.path}/ostree/deploy/default/deploy/${checksums[0]}.0`);
  assertEquals((await Deno.stat(`${next!.path}/usr/lib/modules/6.2`)).isDirectory, true);
  assertEquals(plainArguments(next), KARGS);
  assertEquals(next?.kernelArguments.at(-1), `ostree=/ostree/boot.0/default/${next?.bootChecksum}/0`);
  assertEquals(next?.origin?.refspec, "os");
  const { stateroot, serial, pinned, staged, finalizationLocked, unlocked, booted } = next!;
  assertEquals([stateroot, serial, unlocked], ["default", 0, "none"]);
  assertEquals([pinned, staged, finalizationLocked, booted], [false, false, false, false]);
});

Deno.test("Sysroot.reload() sees what another process has changed, once", async () => {
  await using tmp = await sysrootDirectory();
  const made = await makeSysroot(tmp.path);
  using sysroot = Sysroot.open(made.path);
  assertEquals(sysroot.reload(), false);
  await makeOsCommit(made.repo);
  await deployWithOstree(made);
  assertEquals(sysroot.deployments().length, 0);
  assertEquals(sysroot.reload(), true);
  assertEquals(sysroot.deployments().length, 1);
  assertEquals(sysroot.reload(), false);
});

Deno.test("Sysroot.deployTree() deploys into an empty stateroot it has made", async () => {
  await using tmp = await sysrootDirectory();
  const made = await makeSysroot(tmp.path);
  const checksum = await makeOsCommit(made.repo);
  using sysroot = Sysroot.open(made.path);
  sysroot.initStateroot("fresh");
  await sysroot.deployTree({
    stateroot: "fresh",
    checksum,
    origin: Origin.forImage(IMAGE),
    kernelArguments: ["root=UUID=1", 'x="a b"'],
  });
  const [deployment] = sysroot.deployments();
  assertEquals(plainArguments(deployment), ["root=UUID=1", 'x="a b"']);
  assertEquals(deployment?.origin?.imageReference, IMAGE);
  const [listed] = await listDeployments(made);
  assertEquals([listed?.stateroot, listed?.checksum, listed?.serial], ["fresh", checksum, 0]);
});

Deno.test("Sysroot.deployTree() merges /etc and arguments, keeps the merged and the pinned deployment", async () => {
  await using tmp = await sysrootDirectory();
  const { sysroot: made, checksums: [second, first] } = await twoDeployments(tmp.path);
  using sysroot = Sysroot.open(made.path);
  const [merge, oldest] = sysroot.deployments();
  await Deno.writeTextFile(`${merge!.path}/etc/mine`, "kept\n");
  sysroot.setPinned(oldest!, true);
  const third = await makeOsCommit(made.repo, { files: { "usr/etc/new": "new\n" } });
  const origin = merge!.origin!.copyForDeployment();
  origin.imageReference = IMAGE;
  await sysroot.deployTree({ stateroot: "default", checksum: third, origin, mergeDeployment: merge });
  const after = sysroot.deployments();
  assertEquals(order(after), [`${third}.0`, `${second}.0`, `${first}.0`]);
  assertEquals(after.map((d) => d.pinned), [false, false, true]);
  assertEquals(plainArguments(after[0]), KARGS);
  assertEquals(await Deno.readTextFile(`${after[0]!.path}/etc/mine`), "kept\n");
  assertEquals(await Deno.readTextFile(`${after[0]!.path}/etc/new`), "new\n");
  assertEquals((await listDeployments(made)).map((d) => d.checksum), [third, second, first]);
});

Deno.test("Sysroot.cleanup() removes what deployTree() left behind", async () => {
  await using tmp = await sysrootDirectory();
  const { sysroot: made, checksums: [, first] } = await twoDeployments(tmp.path);
  using sysroot = Sysroot.open(made.path);
  const [merge, oldest] = sysroot.deployments();
  const third = await makeOsCommit(made.repo, { kernelVersion: "6.3" });
  const origin = merge!.origin!.copyForDeployment();
  await sysroot.deployTree({ stateroot: "default", checksum: third, origin, mergeDeployment: merge });
  assertEquals((await Deno.stat(oldest!.path)).isDirectory, true);
  using repo = sysroot.repo();
  assertEquals(await sysroot.cleanup({ pruneRepo: false }), undefined);
  await assertRejects(() => Deno.stat(oldest!.path), Deno.errors.NotFound);
  assertEquals(repo.hasObject("commit", first), true);
  assertEquals((await sysroot.cleanup())!.objectsPruned > 0, true);
  assertEquals(repo.hasObject("commit", first), false);
});

Deno.test("Sysroot.deployTree() stops with a signal, and nothing has changed", async () => {
  await using tmp = await sysrootDirectory();
  const { sysroot: made, checksums: [second, first] } = await twoDeployments(tmp.path);
  using sysroot = Sysroot.open(made.path);
  const request = { stateroot: "default", checksum: second, origin: Origin.forImage(IMAGE) };
  await assertRejects(() => sysroot.deployTree({ ...request, signal: AbortSignal.abort() }), Interrupted);
  assertEquals((await listDeployments(made)).map((d) => d.checksum), [second, first]);
});

Deno.test("Sysroot.writeDeployments() swaps the boot order, and drops what is not named", async () => {
  await using tmp = await sysrootDirectory();
  const { sysroot: made, checksums: [second, first] } = await twoDeployments(tmp.path);
  using sysroot = Sysroot.open(made.path);
  const [a, b] = sysroot.deployments();
  await sysroot.writeDeployments([b!, a!]);
  assertEquals(order(sysroot.deployments()), [`${first}.0`, `${second}.0`]);
  assertEquals((await listDeployments(made)).map((d) => d.checksum), [first, second]);
  await sysroot.writeDeployments([b!]);
  assertEquals((await listDeployments(made)).map((d) => d.checksum), [first]);
  const error = await assertRejects(() => sysroot.writeDeployments([a!]), UserError);
  assertEquals(error.message, `The deployment "${second}.0" of "default" is gone`);
});

Deno.test("Sysroot.setPinned() is in the origin file, and goes again", async () => {
  await using tmp = await sysrootDirectory();
  const { sysroot: made } = await twoDeployments(tmp.path);
  using sysroot = Sysroot.open(made.path);
  const pinned = () => sysroot.deployments().map((d) => d.pinned);
  sysroot.setPinned(sysroot.deployments()[1]!, true);
  assertEquals(pinned(), [false, true]);
  assertEquals(sysroot.deployments()[1]?.origin?.get("libostree-transient", "pinned"), "true");
  sysroot.setPinned(sysroot.deployments()[1]!, false);
  assertEquals(pinned(), [false, false]);
});

Deno.test("Sysroot.writeOrigin() replaces the origin file, with foreign groups", async () => {
  await using tmp = await sysrootDirectory();
  const { sysroot: made } = await twoDeployments(tmp.path);
  using sysroot = Sysroot.open(made.path);
  const origin = Origin.parse("[origin]\nrefspec=os\n\n[packages]\nrequested=vim;\n");
  origin.imageReference = IMAGE;
  sysroot.writeOrigin(sysroot.deployments()[0]!, origin);
  const [deployment] = sysroot.deployments();
  assertEquals(deployment?.origin?.imageReference, IMAGE);
  assertEquals(deployment?.origin?.refspec, undefined);
  assertEquals(deployment?.origin?.get("packages", "requested"), "vim;");
});

Deno.test("Sysroot.stageTree() says that only a booted system root can stage", async () => {
  await using tmp = await sysrootDirectory();
  const { sysroot: made, checksums: [second] } = await twoDeployments(tmp.path);
  using sysroot = Sysroot.open(made.path);
  await assertRejects(
    () => sysroot.stageTree({ stateroot: "default", checksum: second, origin: Origin.forImage(IMAGE) }),
    GlibError,
    "Cannot stage deployment: Not currently booted into an OSTree system",
  );
  await sysroot.undeployStaged();
  assertThrows(() => sysroot.setFinalizationLocked(false), UserError, "No staged deployment found");
});

for (const name of ["", "..", "a/b", "-x", "a\n"]) {
  Deno.test(`Sysroot.initStateroot() refuses ${JSON.stringify(name)}`, async () => {
    await using tmp = await sysrootDirectory();
    const made = await makeSysroot(tmp.path);
    using sysroot = Sysroot.open(made.path);
    assertThrows(() => sysroot.initStateroot(name), SyntaxError);
  });
}

function contextWith(notes: string[], signal?: AbortSignal): Context {
  const plain = plainContext({});
  return { ...plain, note: (line) => notes.push(line), signal: signal ?? plain.signal };
}

Deno.test("Sysroot.lock() is given back at the end of the block", async () => {
  await using tmp = await sysrootDirectory();
  const made = await makeSysroot(tmp.path);
  const notes: string[] = [];
  using one = Sysroot.open(made.path);
  using two = Sysroot.open(made.path);
  {
    using _lock = await one.lock(contextWith(notes));
    await assertRejects(() => one.lock(contextWith(notes)), TypeError);
    const error = await assertRejects(() => two.lock(contextWith(notes), { timeoutMs: 300 }), UserError);
    assertEquals(error.message, `The system root "${tmp.path}" is locked: another process has it`);
  }
  using _lock = await two.lock(contextWith(notes), { timeoutMs: 0 });
  assertEquals(notes, ["Waiting for the lock of the system root: another process has it"]);
});

Deno.test("Sysroot.lock() stops waiting with a signal", async () => {
  await using tmp = await sysrootDirectory();
  const made = await makeSysroot(tmp.path);
  using one = Sysroot.open(made.path);
  using two = Sysroot.open(made.path);
  using _lock = await one.lock(contextWith([]));
  const abort = new AbortController();
  const context = { ...contextWith([], abort.signal), note: () => abort.abort() };
  await assertRejects(() => two.lock(context), Interrupted);
});

Deno.test("Sysroot.lock() names the process that has the lock, and reads what that one has changed", async () => {
  await using tmp = await sysrootDirectory();
  const made = await makeSysroot(tmp.path);
  await makeOsCommit(made.repo);
  using sysroot = Sysroot.open(made.path);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("hold_lock.ts", import.meta.url).pathname, made.path],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const notes: string[] = [];
  const context = { ...contextWith(notes), note: (line: string) => (notes.push(line), void child.stdin.close()) };
  using _lock = await sysroot.lock(context);
  assertEquals(notes, [`Waiting for the lock of the system root: process ${child.pid} ("deno") has it`]);
  assertEquals(sysroot.deployments().length, 1);
  await reader.cancel();
  await child.status;
});
