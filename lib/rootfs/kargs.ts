/** The kernel arguments that a root asks for. */
import { readKargsD } from "../host/kargs.ts";
import { UserError } from "../sys/errors.ts";
import type { Root } from "./root.ts";
import { readTomlFiles } from "./toml_files.ts";

/**
 * As a deployment of the root would get them. Nothing of kargs.d may be a link, since a deployment reads it from the commit, where no link
 * is followed.
 * @throws {UserError} naming the file or directory that cannot be read
 */
export async function readRootKargs(root: Root): Promise<string[]> {
  return await readKargsD((directory) =>
    Promise.resolve(isDirectory(root, directory) ? readTomlFiles(root, directory, { links: "refuse" }) : [])
  );
}

/** @throws {UserError} when something else has the name, here or on the way */
function isDirectory(root: Root, path: string): boolean {
  const names = path.split("/");
  for (let length = 1; length <= names.length; length++) {
    const at = names.slice(0, length).join("/");
    const type = root.stat(at)?.type;
    if (type === undefined) return false;
    if (type !== "directory") throw new UserError(`Path "/${at}" is a ${type}, expected a directory`);
  }
  return true;
}
