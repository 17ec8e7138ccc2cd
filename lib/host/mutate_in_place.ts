/** Changing only what a deployment follows, before it ever ran: for installers (row U14). */
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import { Origin } from "../ostree/origin.ts";
import { UserError } from "../sys/errors.ts";

/** An origin file. */
interface Found {
  readonly path: string;
  readonly modifiedMs: number;
}

async function* originFiles(sysroot: string): AsyncGenerator<Found> {
  const deploy = `${sysroot}/ostree/deploy`;
  for await (const stateroot of Deno.readDir(deploy)) {
    if (!stateroot.isDirectory) continue;
    const directory = `${deploy}/${stateroot.name}/deploy`;
    for await (const { name, isFile } of Deno.readDir(directory)) {
      if (!isFile || !name.endsWith(".origin")) continue;
      const path = `${directory}/${name}`;
      yield { path, modifiedMs: (await Deno.stat(path)).mtime?.getTime() ?? 0 };
    }
  }
}

/**
 * Rewrites the reference in the newest deployment's origin file and gives that deployment's id (`CHECKSUM.SERIAL`); nothing is fetched.
 * Commit point: the rename of the new file.
 * @throws {UserError} when there is no deployment
 */
export async function mutateInPlace(sysroot: string, reference: OstreeImageReference): Promise<string> {
  let newest: Found | undefined;
  try {
    for await (const found of originFiles(sysroot)) {
      if (newest === undefined || found.modifiedMs > newest.modifiedMs) newest = found;
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  if (!newest) throw new UserError(`No deployment found below "${sysroot}/ostree/deploy"`);
  const origin = Origin.parse(await Deno.readTextFile(newest.path));
  origin.imageReference = formatOstreeImageReference(reference);
  const aside = `${newest.path}.tmp-${crypto.randomUUID().slice(0, 8)}`;
  using file = await Deno.open(aside, { write: true, createNew: true, mode: 0o644 });
  for (let text = new TextEncoder().encode(origin.toString()); text.length > 0;) {
    text = text.subarray(await file.write(text));
  }
  await file.sync();
  await Deno.rename(aside, newest.path);
  return newest.path.slice(newest.path.lastIndexOf("/") + 1, -".origin".length);
}
