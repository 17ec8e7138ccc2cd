/** Mending /etc/fstab on a host whose root cannot be written. */
import { binaryString, fromBinaryString } from "../ostree/objects.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { UserError } from "../sys/errors.ts";
import {
  AT_FDCWD,
  cstr,
  fchmod,
  fchown,
  fsetxattr,
  LibcError,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openat,
  openDirectoryAt,
  readWhole,
  writeAll,
} from "../sys/libc.ts";
import { type FileStat, fstat, lstatAt } from "../sys/libc_stat.ts";
import { readXattrsAt, type Xattr } from "../sys/libc_xattr.ts";
import { replaceFileAt } from "../sys/replace_file.ts";
import { FSTAB_MAX_BYTES, withReadOnlyRoot } from "./fstab_text.ts";

const FSTAB = cstr("fstab");

/**
 * Mends ROOT/etc/fstab ({@linkcode withReadOnlyRoot}), keeping its mode, owner and SELinux label; false where there is nothing to mend, and
 * the file is not touched. Commit point: the rename of the new file; a power cut before it leaves the old one.
 * @throws {UserError} also where it is a link, or no fstab by its size
 */
export async function editFstab(root: string): Promise<boolean> {
  const failed = `Cannot edit "${root.replace(/\/+$/, "")}/etc/fstab"`;
  try {
    using top = new Descriptor(openat(AT_FDCWD, cstr(root), O_RDONLY | O_DIRECTORY));
    using etc = new Descriptor(openDirectoryAt(top.fd, "etc"));
    const found = lstatAt(etc.fd, FSTAB);
    if (found && found.type !== "file") throw new UserError(`${failed}: it is a ${found.type}`);
    if (found && found.sizeBytes > FSTAB_MAX_BYTES) {
      throw new UserError(`${failed}: it has ${found.sizeBytes} bytes, more than the ${FSTAB_MAX_BYTES} expected`);
    }
    const before = readFstab(etc.fd);
    const edited = withReadOnlyRoot(before.text);
    if (edited === before.text) return false;
    await replaceFileAt(etc.fd, "fstab", (fd) => {
      keepAttributes(fd, before);
      writeAll(fd, fromBinaryString(edited));
    }, { mode: 0o600 });
    return true;
  } catch (cause) {
    if (!(cause instanceof LibcError)) throw cause;
    throw new UserError(failed, { cause });
  }
}

interface Fstab {
  /** A binary string, so that whatever is no UTF-8 stays as it is. */
  readonly text: string;
  readonly stat: FileStat;
  readonly label: Xattr | undefined;
}

function readFstab(etc: number): Fstab {
  const fd = openat(etc, FSTAB, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const stat = fstat(fd);
  const label = readXattrsAt(etc, FSTAB).find(([key]) => binaryString(key) === "security.selinux");
  return { text: binaryString(readWhole(fd)), stat, label };
}

function keepAttributes(fd: number, { stat, label }: Fstab): void {
  fchown(fd, stat.uid, stat.gid);
  fchmod(fd, stat.mode);
  if (label) fsetxattr(fd, cstr("security.selinux"), label[1]);
}
