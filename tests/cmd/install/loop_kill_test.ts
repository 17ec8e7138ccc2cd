import { assert, assertEquals } from "@std/assert";
import { capture } from "../../../lib/sys/run.ts";
import { bench, canLoop, ctx } from "./disk.ts";

/** Polls until something holds. */
async function until(what: string, holds: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  for (let waitedMs = 0; !await holds(); waitedMs += 20) {
    assert(waitedMs < timeoutMs, `${what} takes too long`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Processes with a word on their command line. */
async function processesWith(word: string): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const words = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (words.split("\0").includes(word)) pids.push(Number(name));
  }
  return pids;
}

/** The partitions that the kernel has for a disk. */
async function partitions(device: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(`/sys/block/${device.replace("/dev/", "")}`), ({ name }) => name);
  return names.filter((name) => /^loop\d+p\d+$/.test(name));
}

const attachedTo = async (disk: string) =>
  (await capture(ctx, ["losetup", "--noheadings", "--output", "NAME", "--associated", disk])).trim();

for (
  const [moment, reached] of [
    ["has the loop device", (disk: string) => attachedTo(disk).then((device) => device !== "")],
    ["has partitions", async (disk: string) => {
      const device = await attachedTo(disk);
      return device !== "" && (await partitions(device)).length > 0;
    }],
  ] as const
) {
  Deno.test({
    name: `install to-disk leaves no loop device when it is killed while it ${moment}`,
    ignore: !canLoop,
    async fn() {
      await using b = await bench();
      const disk = await b.disk("disk.img");
      const image = b.image("image");
      const main = new URL("../../../main.ts", import.meta.url).pathname;
      // deno-fmt-ignore
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run", "-A", "--quiet", main, "install", "to-disk", "--quiet", "--via-loopback", "--filesystem", "ext4",
          "--bootloader", "none", "--source-imgref", image, disk,
        ],
        stdin: "null", stdout: "null", stderr: "null",
      }).spawn();
      await until("attaching", () => reached(disk));
      const device = await attachedTo(disk);
      for (const pid of await processesWith(disk)) Deno.kill(pid, "SIGKILL");
      assertEquals((await child.status).signal, "SIGKILL");
      await until("detaching", () => attachedTo(disk).then((left) => left === ""));
      assertEquals(await partitions(device), []);
    },
  });
}
