/** One way through a whole tree for everybody who wants to see each name in it; `entries.ts` is for whoever needs all of a tree. */
import type { FileStat, FileType } from "../sys/libc_stat.ts";
import { UserError } from "../sys/errors.ts";
import { LibcError } from "../sys/libc.ts";
import { Pace } from "../sys/pace.ts";
import { quotePath } from "./quote.ts";
import { type Directory, isRefused, type Root } from "./root.ts";

/** A path of an image cannot be longer; it also bounds how many directories are open at a time. */
const PATH_MAX_BYTES = 4095;

/** A name on the way. Paths and names are binary strings. */
export interface Entry {
  /** From the root, without a leading slash. */
  readonly path: string;
  readonly name: string;
  readonly type: FileType;
  /** Of the directory that holds it. */
  readonly directory: Directory;
  /** Of the same directory. */
  readonly parent: FileStat;
}

/** How a walk goes. */
export interface WalkOptions {
  /** Where it starts; the whole root without it. */
  readonly start?: string;
  readonly signal: AbortSignal;
  /** It ends after so many names; without it, it sees all. */
  readonly namesLimit?: number;
  /** Called with directories that may not be read; without it they are passed over. */
  readonly refused?: (path: string) => void;
}

/**
 * Calls `visit` with each name below a directory, a directory before what is in it, names in order of their bytes. Links are not followed,
 * and nothing below a mount point is seen, which is not part of the image. What vanishes meanwhile is passed over. Says whether all was seen.
 * @throws {Interrupted} @throws {UserError} naming the directory that cannot be read, for another reason than a want of permission
 * @throws {LibcError} where that is the start
 */
export async function walk(root: Root, visit: (entry: Entry) => void, options: WalkOptions): Promise<boolean> {
  const { start = "", signal, refused = () => {} } = options;
  let left = options.namesLimit ?? Infinity;
  const pace = new Pace(signal);
  const enter = async (path: string, directory: Directory, parent: FileStat | undefined) => {
    await pace.step();
    const own = directory.stat();
    if (parent && (own.isMountPoint ?? own.device !== parent.device)) return;
    for (const { name, type } of directory.names()) {
      if (left-- <= 0) return;
      const below = path === "" ? name : `${path}/${name}`;
      visit({ path: below, name, type, directory, parent: own });
      if (type !== "directory" || below.length > PATH_MAX_BYTES) continue;
      try {
        using child = directory.open(name);
        if (child) await enter(below, child, own);
      } catch (error) {
        if (!isRefused(error)) throw named(below, error);
        refused(below);
      }
    }
  };
  using first = root.open(start);
  if (first) await enter(start, first, undefined);
  return left >= 0;
}

/** The innermost directory is the one to name. */
function named(path: string, error: unknown): unknown {
  if (!(error instanceof LibcError)) return error;
  return new UserError(`Cannot look into ${quotePath(`/${path}`)}`, { cause: error });
}

/** Whether an entry is a mount point, which is not part of the image. @throws {LibcError} */
export function isMountPoint({ directory, name, parent }: Entry): boolean {
  const own = directory.lstat(name);
  return own !== undefined && (own.isMountPoint ?? own.device !== parent.device);
}
