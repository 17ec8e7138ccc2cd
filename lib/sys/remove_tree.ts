/** Removing what lies below a directory, on one file system, without following anything. */
import { Descriptor } from "./descriptor.ts";
import {
  type Bytes,
  cstr,
  eachName,
  LibcError,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  renameat,
  unlinkat,
} from "./libc.ts";
import { fstat, lstatAt } from "./libc_stat.ts";
import { Pace } from "./pace.ts";

/** What is spared, and who is told. */
export interface RemoveOptions {
  /** Says of a name directly below the directory whether it stays, with all that is in it. */
  readonly keep?: (name: string) => boolean;
  readonly signal: AbortSignal;
  /** Told of what could not be removed (its path from the directory), and why; the rest is removed all the same. */
  readonly failed: (path: string, error: LibcError) => void;
}

const AT_REMOVEDIR = 0x200;
/** Directories open at a time; what lies deeper is moved up first. */
const MAX_DEPTH = 128;

/**
 * Removes what is below the open directory `fd`, but not mount points and what they hide. A link goes itself, never what it points at. Safe to
 * repeat: what a power cut leaves is removed by the next call.
 * @throws {Interrupted} @throws {LibcError} when the directory itself cannot be read
 */
export async function removeBelow(fd: number, options: RemoveOptions): Promise<void> {
  const top = { fd, device: fstat(fd).device, moved: [] as Bytes[], pace: new Pace(options.signal), ...options };
  for (const name of namesOf(fd)) {
    if (!options.keep?.(textOf(name))) await removeName(top, fd, name, textOf(name), 1);
  }
  for (let name = top.moved.pop(); name; name = top.moved.pop()) await removeName(top, fd, name, textOf(name), 1);
}

interface Top extends RemoveOptions {
  readonly fd: number;
  readonly device: string;
  readonly pace: Pace;
  /** Names below `fd` that deep directories were given. */
  readonly moved: Bytes[];
}

async function removeName(top: Top, parent: number, name: Bytes, path: string, depth: number): Promise<void> {
  await top.pace.step();
  try {
    if (lstatAt(parent, name)?.type === "directory") await removeDirectory(top, parent, name, path, depth);
    else unlinkat(parent, name);
  } catch (error) {
    if (!(error instanceof LibcError)) throw error;
    top.failed(path, error);
  }
}

async function removeDirectory(top: Top, parent: number, name: Bytes, path: string, depth: number): Promise<void> {
  if (depth > MAX_DEPTH) {
    const shallow = cstr(`.bootc-removing-${crypto.randomUUID()}`);
    renameat(parent, name, top.fd, shallow);
    top.moved.push(shallow);
    return;
  }
  {
    using directory = new Descriptor(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const own = fstat(directory.fd);
    if (own.isMountPoint || own.device !== top.device) return;
    for (const below of namesOf(directory.fd)) {
      await removeName(top, directory.fd, below, `${path}/${textOf(below)}`, depth + 1);
    }
  }
  // One that holds a mount point, or what could not be removed, stays; the latter was told of.
  if (isEmpty(parent, name)) unlinkat(parent, name, AT_REMOVEDIR);
}

function isEmpty(parent: number, name: Bytes): boolean {
  using directory = new Descriptor(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return namesOf(directory.fd).length === 0;
}

/** NUL-terminated, all at once: what is removed while a directory is read may hide other names. */
function namesOf(fd: number): Bytes[] {
  const names: Bytes[] = [];
  eachName(fd, (bytes, start, end) => names.push(bytes.slice(start, end + 1)));
  return names;
}

function textOf(name: Bytes): string {
  return new TextDecoder().decode(name.subarray(0, -1));
}
