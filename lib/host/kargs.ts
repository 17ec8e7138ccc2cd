/**
 * Kernel arguments that an image brings (`usr/lib/bootc/kargs.d/*.toml`), and how a change of them reaches a host that has arguments
 * of its own. Source: formats.md 3.11, rows K3 and R12.
 */
import { splitKernelArguments } from "../ostree/deployment.ts";
import { compareBytes } from "../ostree/objects.ts";
import { UserError } from "../sys/errors.ts";

/** Where an image keeps them, from its root. */
export const KARGS_DIRECTORY = "usr/lib/bootc/kargs.d";

/** The files of a directory as name and text, in any order; empty where there is no such directory. */
export type ReadDirectory = (path: string) => Promise<[name: string, text: string][]>;

/** This machine as `match-architectures` names it (the names of Rust, not those of OCI). */
export function kargsArchitecture(arch: typeof Deno.build.arch = Deno.build.arch): string {
  return arch;
}

/**
 * What an image asks for on an architecture: files in order of their names (by bytes), each argument an item.
 * @throws {UserError} naming the file that cannot be read
 */
export async function readKargsD(
  readDirectory: ReadDirectory,
  architecture: string = kargsArchitecture(),
): Promise<string[]> {
  const files = (await readDirectory(KARGS_DIRECTORY)).filter(([name]) => name.endsWith(".toml"));
  if (files.length === 0) return [];
  const { parseKargsFile } = await import("./toml_kargs.ts");
  return files.sort(byName).flatMap(([name, text]) => {
    try {
      const file = parseKargsFile(text);
      if (file.architectures && !file.architectures.includes(architecture)) return [];
      return file.kargs.flatMap(splitKernelArguments).map(bootable);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new UserError(`Cannot read "${KARGS_DIRECTORY}/${name}" of the image`, {
        cause,
        hint: "Mend the file in the image and build it again",
      });
    }
  });
}

/** @throws {SyntaxError} when it cannot stand in a boot entry */
function bootable(karg: string): string {
  if (!isBootable(karg)) throw new SyntaxError(`A control character in the kernel argument ${JSON.stringify(karg)}`);
  return karg;
}

/** Whether a text can stand in a line of a boot entry: a control character would end that line, or the whole entry. */
export function isBootable(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[\0-\x1f\x7f]/.test(text);
}

const encoder = new TextEncoder();

/** Files by name, in the order of the bytes: JavaScript's own order of UTF-16 units differs beyond U+FFFF. */
export function byName([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return compareBytes(encoder.encode(a), encoder.encode(b));
}

/** What a new image asks for that the old one did not, and the other way round. */
export interface KargsDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Compares what two images ask for; the order is that of each image. */
export function diffKargs(before: readonly string[], after: readonly string[]): KargsDiff {
  const old = new Set(before), wanted = new Set(after);
  return {
    added: [...wanted].filter((karg) => !old.has(karg)),
    removed: [...old].filter((karg) => !wanted.has(karg)),
  };
}

/**
 * The arguments of the next deployment: those of the merge deployment with the image's change applied. For each removed argument its
 * first exact match goes; an added one is appended unless it is there. What the host set itself stays, in its order.
 */
export function applyKargs(current: readonly string[], { added, removed }: KargsDiff): string[] {
  const result = [...current];
  for (const karg of removed) {
    const at = result.indexOf(karg);
    if (at >= 0) result.splice(at, 1);
  }
  for (const karg of added) if (!result.includes(karg)) result.push(karg);
  return result;
}
