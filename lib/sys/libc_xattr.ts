/** Extended attributes of a name in an open directory. */
import { type Bytes, c, cstr, errno, LibcError } from "./libc_table.ts";

const ENODATA = 61, ENOTSUP = 95;
/** The kernel's limits for the list of names, and for one value. */
const names = new Uint8Array(65536);
const value = new Uint8Array(65536);

/** A name, without a NUL and in any bytes, and its value. */
export type Xattr = readonly [name: Bytes, value: Bytes];

/**
 * What a name (NUL-terminated) has, in the order of the file system; nothing where that knows no attributes. A link is not followed. Needs
 * /proc, through which alone those of a symlink can be read relative to a directory.
 * @throws {LibcError}
 */
export function readXattrsAt(directory: number, name: Bytes): Xattr[] {
  const prefix = cstr(`/proc/self/fd/${directory}/`);
  const path = new Uint8Array(prefix.length - 1 + name.length);
  path.set(prefix);
  path.set(name, prefix.length - 1);
  const length = Number(c.llistxattr(path, names, BigInt(names.length)));
  if (length < 0) expectErrno("llistxattr", ENOTSUP);
  const found: Xattr[] = [];
  for (let at = 0; at < length;) {
    const end = names.indexOf(0, at);
    const size = Number(c.lgetxattr(path, names.subarray(at, end + 1), value, BigInt(value.length)));
    if (size < 0) expectErrno("lgetxattr", ENODATA); // gone meanwhile
    else found.push([names.slice(at, end), value.slice(0, size)]);
    at = end + 1;
  }
  return found;
}

function expectErrno(call: string, expected: number): void {
  const e = errno();
  if (e !== expected) throw new LibcError(call, e);
}
