/** Changing only what a deployment follows, before it ever ran: for installers (row U14). */
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import { Origin } from "../ostree/origin.ts";
import { UserError } from "../sys/errors.ts";
import { writeAll } from "../sys/libc.ts";
import { replaceFile } from "../sys/replace_file.ts";
import { requireSysrootName } from "./guard.ts";
import { utf8Text } from "./utf8.ts";

/** An origin file. */
interface Found {
  readonly path: string;
  readonly modifiedMs: number;
}

/** The names in a directory; none where there is no such directory. */
async function entries(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw new UserError(`Cannot read "${path}"`, { cause });
  }
}

async function originFiles(sysroot: string): Promise<Found[]> {
  const found: Found[] = [];
  const deploy = `${sysroot}/ostree/deploy`;
  for (const stateroot of await entries(deploy)) {
    if (!stateroot.isDirectory) continue;
    const directory = `${deploy}/${stateroot.name}/deploy`;
    for (const { name, isFile } of await entries(directory)) {
      if (!isFile || !name.endsWith(".origin")) continue;
      const path = `${directory}/${name}`;
      found.push({ path, modifiedMs: (await Deno.stat(path)).mtime?.getTime() ?? 0 });
    }
  }
  return found;
}

/**
 * Rewrites the reference in the newest deployment's origin file and gives that deployment's id (`CHECKSUM.SERIAL`); nothing is fetched.
 * Commit point: the rename of the new file.
 * @throws {UserError} when there is no deployment, or its file cannot be read or replaced
 */
export async function mutateInPlace(sysroot: string, reference: OstreeImageReference): Promise<string> {
  requireSysrootName(sysroot);
  const [newest] = (await originFiles(sysroot)).sort((a, b) => b.modifiedMs - a.modifiedMs);
  if (!newest) throw new UserError(`No deployment found below "${sysroot}/ostree/deploy"`);
  const origin = await readOrigin(newest.path);
  origin.imageReference = formatOstreeImageReference(reference);
  await replaceOrigin(newest.path, origin.toString());
  return newest.path.slice(newest.path.lastIndexOf("/") + 1, -".origin".length);
}

async function readOrigin(path: string): Promise<Origin> {
  try {
    return Origin.parse(utf8Text(await Deno.readFile(path)));
  } catch (cause) {
    throw new UserError(`Cannot read the origin file "${path}"`, { cause });
  }
}

async function replaceOrigin(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, (fd) => writeAll(fd, new TextEncoder().encode(text)), { mode: 0o644 });
  } catch (cause) {
    throw new UserError(`Cannot replace the origin file "${path}"`, { cause });
  }
}
