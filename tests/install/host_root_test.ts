import { assertEquals, assertRejects } from "@std/assert";
import { onHostRoot, requireHostProcesses, rootArguments, warnOfHostRoot } from "../../lib/install/host_root.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { Interrupted, UserError } from "../../lib/sys/errors.ts";
import { tempDir } from "../temp.ts";

const CMDLINES: readonly [string, ReturnType<typeof rootArguments>][] = [
  ["BOOT_IMAGE=/vmlinuz quiet\n", undefined],
  ["root= quiet\n", undefined],
  ["BOOT_IMAGE=/vmlinuz root=UUID=1 ro quiet\n", { rootMountSpec: "UUID=1", rootKernelArguments: [] }],
  ["root=/dev/sda1 root=LABEL=x", { rootMountSpec: "LABEL=x", rootKernelArguments: [] }],
  ["root=/dev/mapper/r rootflags=subvol=@ rd.luks.uuid=2 rdx=1 ostree=/o", {
    rootMountSpec: "/dev/mapper/r",
    rootKernelArguments: ["rootflags=subvol=@", "rd.luks.uuid=2"],
  }],
];
for (const [cmdline, expected] of CMDLINES) {
  Deno.test(`rootArguments() reads ${JSON.stringify(cmdline)}`, () => assertEquals(rootArguments(cmdline), expected));
}

Deno.test("onHostRoot() knows the file system that the host runs from", async () => {
  await using other = await tempDir("/dev/shm");
  assertEquals(await onHostRoot("/dev/shm", "/"), false);
  assertEquals(await onHostRoot(other.path, other.path), true);
  assertEquals(await onHostRoot("/nowhere"), false);
});

Deno.test("requireHostProcesses() refuses a container with processes of its own, and nobody else", async () => {
  await using tmp = await tempDir("/dev/shm");
  const env = `${tmp.path}/.containerenv`;
  await requireHostProcesses(env, "/");
  await Deno.writeTextFile(env, "");
  await requireHostProcesses(env, tmp.path);
  await assertRejects(() => requireHostProcesses(env, "/"), UserError, "podman --pid=host flag");
});

Deno.test("warnOfHostRoot() says what will happen, and waits", async () => {
  const notes: string[] = [];
  const start = performance.now();
  await warnOfHostRoot({ ...plainContext({}), note: (line) => notes.push(line) }, { seconds: 0.2 });
  assertEquals(performance.now() - start >= 190, true);
  assertEquals(notes, [
    "-".repeat(28),
    "WARNING: This operation will OVERWRITE THE BOOTED HOST ROOT FILESYSTEM and is NOT REVERSIBLE.",
    "Waiting 0.2s to continue; interrupt (Control-C) to cancel.",
    "-".repeat(28),
  ]);
});

Deno.test("warnOfHostRoot() ends at a signal", async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  const start = performance.now();
  await assertRejects(() => warnOfHostRoot({ ...plainContext({}), signal: controller.signal }), Interrupted);
  assertEquals(performance.now() - start < 5000, true);
});
