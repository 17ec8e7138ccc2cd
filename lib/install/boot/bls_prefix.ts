/** Boot loader entries of a libostree that does not know `sysroot.bootprefix`, such as 2022.7 of Debian 12. */
import { parseBlsEntry } from "../../codec/bls.ts";
import { writeAll } from "../../sys/libc.ts";
import { replaceFile } from "../../sys/replace_file.ts";

/** Keys whose values are paths on the file system that the boot loader reads. */
const PATHS = new Set(["linux", "initrd", "devicetree", "fdt"]);
/** Where libostree has kernels, without a prefix. */
const BARE = "/ostree/";

/** An entry with `/boot` before each path that lacks it; undefined where none does; pure. */
export function prefixed(text: string): string | undefined {
  const entry = parseBlsEntry(text);
  const lacks = ([key, value]: readonly [string, string]) => PATHS.has(key) && value.startsWith(BARE);
  if (!entry.fields.some(lacks)) return undefined;
  for (const field of entry.fields) if (lacks(field)) field[1] = `/boot${field[1]}`;
  return entry.toString();
}

/**
 * Makes the entries lead to the kernels where /boot is a directory of the root file system: for loaders that read nothing but the entries.
 * Each is replaced whole. @throws {LibcError}
 */
export async function prefixEntries(boot: string): Promise<void> {
  for await (const { name } of Deno.readDir(`${boot}/loader/entries`)) {
    const path = `${boot}/loader/entries/${name}`;
    const text = name.endsWith(".conf") ? prefixed(await Deno.readTextFile(path)) : undefined;
    if (text === undefined) continue;
    await replaceFile(path, (fd) => writeAll(fd, new TextEncoder().encode(text)), { mode: 0o644 });
  }
}
