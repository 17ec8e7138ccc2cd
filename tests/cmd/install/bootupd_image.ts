/**
 * An image with a bootupd that only writes down what it is asked to do: a scripted stand-in, as there is no Fedora here. What is made with it
 * is not booted.
 */
import type { OsImage } from "../../os_image.ts";
import { grubImage } from "./grub_image.ts";

/** Its arguments, and what it sees of the target, in a file beside the repository. */
const SCRIPT = `#!/bin/sh
if [ "$4" = "--help" ] || [ "$3" = "--help" ]; then
  [ ! -e /usr/lib/bootupd-old ] || { echo "  --device <DEVICE>"; exit 0; }
  echo "  --filesystem <FILESYSTEM>"
  exit 0
fi
[ ! -e /usr/lib/bootupd-fails ] || { echo "no component" >&2; exit 1; }
{
  echo "$*"
  for name in /boot/*; do echo "$name"; done
  [ ! -d /sysroot/ostree/repo ] || echo "/sysroot is the target"
} > /sysroot/ostree/bootupd.log
`;

/** `old`: it cannot find a disk by its file system. */
export async function bootupdImage({ old = false, fails = false } = {}, source: OsImage = {}): Promise<OsImage> {
  const image = await grubImage(source);
  return {
    ...image,
    files: {
      ...image.files,
      "usr/lib/bootupd/updates/EFI.json": "{}",
      ...old && { "usr/lib/bootupd-old": "" },
      ...fails && { "usr/lib/bootupd-fails": "" },
    },
    programs: { ...image.programs, "usr/bin/bootupctl": SCRIPT },
  };
}
