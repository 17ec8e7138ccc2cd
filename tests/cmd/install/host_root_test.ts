/** Over the root that the host runs from: process 1 has another root there than whoever installs, as for a container with --pid=host. */
import { assertEquals, assertMatch } from "@std/assert";
import { rootArguments } from "../../../lib/install/host_root.ts";
import { type Bench, bench, canLoop } from "./disk.ts";
import { grubImage } from "./grub_image.ts";
import { contents, oldHost, writeFiles } from "./old_host.ts";

const ignore = !canLoop;
const ROOT = new URL("../../../", import.meta.url);
const NAMED = Deno.env.get("BOOTC");
const PROGRAM = NAMED === undefined
  ? [Deno.execPath(), "run", "-A", "--quiet", "--no-check", new URL("main.ts", ROOT).pathname]
  : [new URL(NAMED, ROOT).pathname];

/** A system whose process 1 has this root, until the block ends; runs `bootc WORDS...` in it, interrupted after some seconds. */
async function runningFrom(root: string) {
  // The host's shell is all that runs there.
  const { programs = {} } = await grubImage();
  for (const [path, content] of Object.entries(programs)) {
    await writeFiles(root, { [path]: "" });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${root}/${path}`, bytes);
    await Deno.chmod(`${root}/${path}`, 0o755);
  }
  for (const name of ["lib", "lib64"]) await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  // deno-fmt-ignore
  const args = [
    "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
    "chroot", root, "/usr/bin/sh", "-c", "echo ready; read -r line",
  ];
  const unshare = new Deno.Command("unshare", { args, stdin: "piped", stdout: "piped" }).spawn();
  const reader = unshare.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const pid = (await Deno.readTextFile(`/proc/${unshare.pid}/task/${unshare.pid}/children`)).trim();
  return {
    async bootc(words: readonly string[], { seconds }: { seconds: number }) {
      // deno-fmt-ignore
      const args = [
        "-t", pid, "--mount", "--pid", "--wd=/", "--",
        "timeout", "--preserve-status", "--signal=INT", String(seconds), ...PROGRAM, ...words,
      ];
      const { code, stdout, stderr } = await new Deno.Command("nsenter", { args, stdin: "null" }).output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
    async [Symbol.asyncDispose]() {
      await unshare.stdin.close();
      await unshare.status;
    },
  };
}

async function words(b: Bench): Promise<string[]> {
  return ["install", "to-existing-root", "--quiet", "--source-imgref", b.image("image", await grubImage())];
}

const WARNING = `----------------------------
WARNING: This operation will OVERWRITE THE BOOTED HOST ROOT FILESYSTEM and is NOT REVERSIBLE.
Waiting 20s to continue; interrupt (Control-C) to cancel.
----------------------------
`;

Deno.test({
  name:
    "install to-existing-root waits 20 seconds before the root that the host runs from, and Ctrl-C changes nothing (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    await using system = await runningFrom(host.root);
    const before = await contents(host.root, ["usr"]);
    const { code, stdout, stderr } = await system.bootc([...await words(b), host.root], { seconds: 10 });
    assertEquals([code, stdout], [130, ""], stderr);
    assertEquals(stderr.slice(0, WARNING.length), WARNING);
    assertEquals(await contents(host.root, ["usr"]), before);
  },
});

Deno.test({
  name:
    "install to-existing-root --acknowledge-destructive installs over it at once, and finds the root as it was found (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    await using system = await runningFrom(host.root);
    const all = [...await words(b), "--acknowledge-destructive", host.root];
    const { code, stderr } = await system.bootc(all, { seconds: 100 });
    assertEquals([code, stderr], [0, ""]);
    const [entry] = [...Deno.readDirSync(`${host.root}/boot/loader/entries`)];
    const text = await Deno.readTextFile(`${host.root}/boot/loader/entries/${entry!.name}`);
    const options = /^options (.*) ostree=/m.exec(text)![1]!;
    const found = rootArguments(await Deno.readTextFile("/proc/cmdline"));
    if (!found) assertMatch(options, /^root=UUID=[0-9a-f-]{36} rw$/);
    else assertEquals(options, [`root=${found.rootMountSpec}`, ...found.rootKernelArguments, "rw"].join(" "));
  },
});

Deno.test({
  name: "install to-filesystem --replace wipe refuses the root that the host runs from (I4)",
  ignore,
  async fn() {
    await using b = await bench();
    await using host = await oldHost(b);
    await using system = await runningFrom(host.root);
    const before = await contents(host.root, ["usr"]);
    const [install, , ...rest] = await words(b);
    const all = [install!, "to-filesystem", ...rest, "--replace", "wipe", host.root];
    const { code, stderr } = await system.bootc(all, { seconds: 100 });
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: Cannot wipe "\S+": the host runs from it\nhint: Give --replace alongside, and --cleanup/,
    );
    assertEquals(await contents(host.root, ["usr"]), before);
  },
});
