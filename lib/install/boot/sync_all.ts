/** A whole file system brought to its disk, before something leads there. */
import { Descriptor } from "../../sys/descriptor.ts";
import { AT_FDCWD, cstr, O_DIRECTORY, O_RDONLY, openat, syncfs } from "../../sys/libc.ts";

/** The file system that a directory is in. @throws {LibcError} */
export async function syncAll(directory: string): Promise<void> {
  using open = new Descriptor(openat(AT_FDCWD, cstr(directory), O_RDONLY | O_DIRECTORY));
  await syncfs(open.fd);
}
