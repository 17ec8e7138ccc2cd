/** The kernel of a root: unpacked beside its modules, or a unified kernel image (UKI), which holds its initramfs and arguments itself. */
import { kernelDirectories, type ListTree, MODULES } from "../host/bootable.ts";
import { UserError } from "../sys/errors.ts";
import { textOf } from "./quote.ts";
import type { NameIn, Root } from "./root.ts";

/** Where UKIs are. */
const UKI_DIRECTORY = "boot/EFI/Linux";
const UKI_SUFFIX = ".efi";

/** A kernel, as `container inspect` shows it. */
export interface RootKernel {
  /** What `uname -r` will say; of a UKI the file's name without `.efi`. */
  readonly version: string;
  /** It is a UKI. */
  readonly unified: boolean;
}

/** The tree below a root for what asks for one; names are binary strings. */
export function listTree(root: Root): ListTree {
  return (path) => root.names(path)?.map(({ name, type }) => ({ name, kind: kindOf(type) }));
}

function kindOf(type: NameIn["type"]): "file" | "directory" | "symlink" {
  return type === "directory" || type === "symlink" ? type : "file";
}

/** The first UKI in order of the names, else the one kernel with modules; undefined where there is none. @throws {UserError} when there are several kernels */
export async function findRootKernel(root: Root): Promise<RootKernel | undefined> {
  const [uki] = (root.names(UKI_DIRECTORY) ?? []).flatMap(({ name }) => {
    const isUki = name.endsWith(UKI_SUFFIX) && name.length > UKI_SUFFIX.length;
    return isUki ? textOf(name.slice(0, -UKI_SUFFIX.length)) ?? [] : [];
  });
  if (uki !== undefined) return { version: uki, unified: true };
  const versions = (await kernelDirectories(listTree(root))).flatMap(({ version }) => textOf(version) ?? []);
  if (versions.length > 1) {
    throw new UserError(`Found multiple subdirectories in ${MODULES}`, {
      hint: `Remove all kernels but one from the image: ${versions.join(", ")}`,
    });
  }
  return versions[0] === undefined ? undefined : { version: versions[0], unified: false };
}
