import { assertEquals } from "@std/assert";
import { decoderFor } from "../../lib/codec/inflate.ts";
import { findsOstreeRoot } from "../../lib/host/initramfs.ts";
import { doubleRing } from "../../lib/sys/libc.ts";
import { cpioOf, piped } from "../codec/cpio_archive.ts";
import { tempDir } from "../temp.ts";

// Opened here, or the first test that does it would be said to leak.
for (const compression of ["gzip", "zstd"] as const) {
  decoderFor(compression, { input: new Uint8Array(16), output: doubleRing(4096) });
}

const WITH = { "usr/lib/ostree/ostree-prepare-root": "elf", "init": "x".repeat(600_000) };
const WITHOUT = { "usr/lib/systemd/systemd": "elf", "ostree-prepare-root.conf": "", "init": "x".repeat(600_000) };
const MICROCODE = { "kernel/x86/microcode/GenuineIntel.bin": "m".repeat(70_000) };

async function asks(bytes: Uint8Array): Promise<boolean | undefined> {
  let at = 0;
  const read = (buffer: Uint8Array) => {
    const piece = bytes.subarray(at, at + Math.min(buffer.length, 100_000));
    buffer.set(piece);
    at += piece.length;
    return piece.length;
  };
  return await findsOstreeRoot(read, new AbortController().signal);
}

for (const compressor of ["cat", "gzip -c", "zstd -qc", "sh -c 'gzip -c && printf \"\\0\\0\\0\"' | cat"]) {
  for (const [files, expected] of [[WITH, true], [WITHOUT, compressor.startsWith("sh") ? undefined : false]] as const) {
    Deno.test(`findsOstreeRoot() says ${expected} of an archive through ${compressor}`, async () => {
      await using tmp = await tempDir();
      const archive = await cpioOf(tmp.path, files);
      assertEquals(await asks(await piped(compressor, tmp.path, archive)), expected);
    });
  }
}

Deno.test("findsOstreeRoot() looks behind an archive with microcode", async () => {
  await using tmp = await tempDir();
  const early = await cpioOf(tmp.path, MICROCODE);
  for (const [files, expected] of [[WITH, true], [WITHOUT, false]] as const) {
    const main = await piped("zstd -qc", tmp.path, await cpioOf(tmp.path, files));
    assertEquals(await asks(new Uint8Array([...early, ...main])), expected);
  }
});

for (
  const [what, make] of [
    ["is compressed with xz", async (tmp: string) => await piped("xz -c", tmp, await cpioOf(tmp, WITHOUT))],
    [
      "is cut short",
      async (tmp: string) => (await piped("zstd -qc", tmp, await cpioOf(tmp, WITHOUT))).subarray(0, 200),
    ],
    ["is no initramfs", () => Promise.resolve(new TextEncoder().encode("initramfs 6.1.0-test\n"))],
    ["is damaged", async (tmp: string) => (await piped("gzip -c", tmp, await cpioOf(tmp, WITHOUT))).fill(7, 50, 90)],
  ] as const
) {
  Deno.test(`findsOstreeRoot() does not judge what ${what}`, async () => {
    await using tmp = await tempDir();
    assertEquals(await asks(await make(tmp.path)), undefined);
  });
}
