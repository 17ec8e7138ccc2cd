/** New content for a file, whole or not at all. */
import { Descriptor } from "./descriptor.ts";
import {
  AT_FDCWD,
  cstr,
  fsync,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  openat,
  renameat,
  unlinkat,
} from "./libc.ts";

/** Fills the new file through its descriptor, and may set its owner and permissions. */
export type FillFile = (fd: number) => void | Promise<void>;

/** How the new file is made. */
export interface ReplaceOptions {
  /** Permission bits, less the umask; 0666 where it is not given. */
  readonly mode?: number;
}

/**
 * Puts a new file under a name of an open directory; what had the name is gone, a symlink itself and not what it points at. It is written
 * under another name, synced, renamed, and then the directory is synced. Commit point: the rename. A power cut before it leaves the old file,
 * and perhaps a `.bootc-tmp-*` beside it, which a failure removes.
 * @throws {LibcError} and whatever `fill` throws
 */
export async function replaceFileAt(
  directory: number,
  name: string,
  fill: FillFile,
  { mode = 0o666 }: ReplaceOptions = {},
): Promise<void> {
  const aside = cstr(`.bootc-tmp-${crypto.randomUUID().slice(0, 8)}`);
  using file = new Descriptor(openat(directory, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  try {
    await fill(file.fd);
    await fsync(file.fd);
    renameat(directory, aside, directory, cstr(name));
  } catch (error) {
    unlinkat(directory, aside);
    throw error;
  }
  await fsync(directory);
}

/** The same by a path, whose folders may be symlinks. @throws {LibcError} and whatever `fill` throws */
export async function replaceFile(path: string, fill: FillFile, options: ReplaceOptions = {}): Promise<void> {
  const slash = path.lastIndexOf("/");
  const parent = slash < 0 ? "." : path.slice(0, slash + 1);
  using directory = new Descriptor(openat(AT_FDCWD, cstr(parent), O_RDONLY | O_DIRECTORY));
  await replaceFileAt(directory.fd, path.slice(slash + 1), fill, options);
}
