import { assertEquals } from "@std/assert";
import { bumpGeneration, journalLines, markRebootRequired, tellJournal } from "../../lib/host/notify.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { tempDir } from "../temp.ts";

const ctx = plainContext({ PATH: "/usr/bin:/bin" });

Deno.test("bumpGeneration() makes the directory", async () => {
  await using tmp = await tempDir();
  await bumpGeneration(ctx, tmp.path);
  assertEquals((await Deno.stat(`${tmp.path}/ostree/bootc`)).isDirectory, true);
});

Deno.test("bumpGeneration() moves the time of modification to now", async () => {
  await using tmp = await tempDir();
  const path = `${tmp.path}/ostree/bootc`;
  await Deno.mkdir(path, { recursive: true });
  await Deno.utime(path, new Date(0), new Date(0));
  const now = new Date("2030-01-02T03:04:05.678Z");
  await bumpGeneration({ ...ctx, now: () => now }, tmp.path);
  assertEquals((await Deno.stat(path)).mtime, now);
});

Deno.test("markRebootRequired() writes the digest", async () => {
  await using tmp = await tempDir();
  await markRebootRequired("sha256:aa", tmp.path);
  assertEquals(await Deno.readTextFile(`${tmp.path}/reboot-required`), "bootc: Reboot required for image: sha256:aa");
});

const entry = {
  id: "rollback",
  message: "Rolling back\nMESSAGE_ID=forged",
  fields: { "bootc.image.reference": "quay.io/example/os", "bootc.manifest_digest": "sha256:aa" },
} as const;
const lines = `MESSAGE_ID=26f3b1eb24464d12aa5e7b544a6b5468
PRIORITY=6
SYSLOG_IDENTIFIER=bootc
MESSAGE=Rolling back MESSAGE_ID=forged
BOOTC_IMAGE_REFERENCE=quay.io/example/os
BOOTC_MANIFEST_DIGEST=sha256:aa
`;

Deno.test("journalLines() gives each field a line of its own", () => assertEquals(journalLines(entry), lines));

Deno.test("journalLines() has the id of staging", () => {
  const [first] = journalLines({ ...entry, id: "stage" }).split("\n");
  assertEquals(first, "MESSAGE_ID=8f7a2b1c3d4e5f6a7b8c9d0e1f2a3b4c");
});

/** A directory of running state with a socket's name in it, and a script in place of logger. */
async function journal(directory: string, script: string) {
  await Deno.mkdir(`${directory}/systemd/journal`, { recursive: true });
  await Deno.writeTextFile(`${directory}/systemd/journal/socket`, "");
  const logger = `${directory}/logger`;
  await Deno.writeTextFile(logger, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { runDirectory: directory, logger };
}

Deno.test("tellJournal() hands the fields to logger", async () => {
  await using tmp = await tempDir();
  await tellJournal(ctx, entry, await journal(tmp.path, `echo "$@" > ${tmp.path}/argv; cat > ${tmp.path}/stdin`));
  assertEquals(await Deno.readTextFile(`${tmp.path}/argv`), "--journald\n");
  assertEquals(await Deno.readTextFile(`${tmp.path}/stdin`), lines);
});

Deno.test("tellJournal() passes over a logger that fails", async () => {
  await using tmp = await tempDir();
  await tellJournal(ctx, entry, await journal(tmp.path, "cat > /dev/null; exit 1"));
});

Deno.test("tellJournal() passes over a missing logger", async () => {
  await using tmp = await tempDir();
  const options = await journal(tmp.path, "exit 0");
  await tellJournal(ctx, entry, { ...options, logger: `${tmp.path}/missing` });
});

Deno.test("tellJournal() starts nothing where there is no journal", async () => {
  await using tmp = await tempDir();
  const options = await journal(tmp.path, `touch ${tmp.path}/started`);
  await Deno.remove(`${tmp.path}/systemd/journal/socket`);
  await tellJournal(ctx, entry, options);
  const names = (await Array.fromAsync(Deno.readDir(tmp.path))).map(({ name }) => name);
  assertEquals(names.includes("started"), false);
});
