/** The kernel arguments that a root asks for. */
import { KARGS_DIRECTORY, readKargsD } from "../host/kargs.ts";
import { utf8Text } from "../host/utf8.ts";
import { UserError } from "../sys/errors.ts";
import { quotePath, textOf } from "./quote.ts";
import type { Root } from "./root.ts";

/**
 * As a deployment of the root would get them. Nothing of kargs.d may be a link, since a deployment reads it from the commit, where no link
 * is followed.
 * @throws {UserError} naming the file or directory that cannot be read
 */
export async function readRootKargs(root: Root): Promise<string[]> {
  return await readKargsD((directory) =>
    Promise.resolve(isDirectory(root, directory) ? readFiles(root, directory) : [])
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

function readFiles(root: Root, directory: string): [string, string][] {
  return (root.names(directory) ?? []).filter(({ name }) => name.endsWith(".toml")).map(({ name, type }) => {
    const path = `${directory}/${name}`;
    const bytes = type === "file" ? root.readFile(path) : undefined;
    if (bytes === undefined) throw new UserError(`Path ${quotePath(`/${path}`)} is a ${type}, expected a file`);
    try {
      return [textOf(name) ?? name, utf8Text(bytes)];
    } catch (cause) {
      throw new UserError(`Cannot read "${KARGS_DIRECTORY}/${textOf(name) ?? name}" of the image`, { cause });
    }
  });
}
