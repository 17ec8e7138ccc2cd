/** Reading a stored file's content. */
import { UserError } from "../sys/errors.ts";
import type { Bytes } from "../sys/libc.ts";
import type { Repo } from "./repo.ts";

/**
 * The content of a regular file object; undefined for a symlink.
 * @throws {UserError} when it is larger than `limitBytes`
 */
export async function readFileObject(repo: Repo, checksum: string, limitBytes: number): Promise<Bytes | undefined> {
  const path = `${repo.path}/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.file`;
  const { isFile, size } = await Deno.lstat(path);
  if (!isFile) return undefined;
  if (size > limitBytes) {
    throw new UserError(`File object ${checksum} has ${size} bytes; at most ${limitBytes} were expected`);
  }
  return await Deno.readFile(path);
}

/** Whether an object is a regular file without content. */
export async function isEmptyFile(repo: Repo, checksum: string): Promise<boolean> {
  const { isFile, size } = await Deno.lstat(`${repo.path}/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.file`);
  return isFile && size === 0;
}
