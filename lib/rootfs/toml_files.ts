/** The `.toml` files of a directory of a root, for what is read from several kinds of places (see `ReadDirectory` in `lib/host/kargs.ts`). */
import type { ReadDirectory } from "../host/kargs.ts";
import { utf8Text } from "../host/utf8.ts";
import { UserError } from "../sys/errors.ts";
import type { Bytes } from "../sys/libc.ts";
import { quotePath, textOf } from "./quote.ts";
import type { NameIn, Root } from "./root.ts";

/** Whether a file may be a link. */
export interface TomlFilesOptions {
  /** `follow`: within the root, and one to /dev/null is an empty file, with which systemd's directories mask another one. */
  readonly links: "refuse" | "follow";
}

/** A root in a directory as a reader of files. Links lead within the root, as they would on the running system. */
export function tomlFilesOf(root: Root): ReadDirectory {
  return (directory) => Promise.resolve(readTomlFiles(root, directory, { links: "follow" }));
}

/**
 * The files as name and text, in order of their names; empty where there is no such directory.
 * @throws {UserError} naming what is no file, or no UTF-8
 */
export function readTomlFiles(root: Root, directory: string, { links }: TomlFilesOptions): [string, string][] {
  const entries = (root.names(directory) ?? []).filter(({ name }) => name.endsWith(".toml"));
  return entries.map(({ name, type }) => {
    const path = `${directory}/${name}`;
    const bytes = links === "refuse" && type === "symlink" ? undefined : readFile(root, path, type);
    if (bytes === undefined) throw new UserError(`Path ${quotePath(`/${path}`)} is a ${type}, expected a file`);
    try {
      return [textOf(name) ?? name, utf8Text(bytes)];
    } catch (cause) {
      throw new UserError(`Cannot read file ${quotePath(`/${path}`)}`, { cause });
    }
  });
}

function readFile(root: Root, path: string, type: NameIn["type"]): Bytes | undefined {
  const masked = type === "symlink" && root.readLink(path) === "/dev/null";
  return masked ? new Uint8Array() : root.readFile(path);
}
