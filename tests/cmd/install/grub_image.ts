/** An image with a GRUB that only writes down what it is asked to do: the host's shell, and scripts by the names of GRUB's tools. */
import { capture } from "../../../lib/sys/run.ts";
import type { OsImage } from "../../os_image.ts";
import { ctx } from "./disk.ts";

/** What stands in the EFI system partition afterwards: the configuration that the image was made with. */
const MKIMAGE = `#!/bin/sh
while read -r line; do echo "$line"; done < /tmp/early.cfg > /tmp/BOOTX64.EFI
`;

/** Its arguments, below /ostree, where nothing removes them; and a sign of life in its own directory. */
const INSTALL = `#!/bin/sh
[ ! -e /usr/lib/grub-fails ] || { echo "no room for the core" >&2; exit 1; }
for word; do
  case "$word" in --boot-directory=*) echo core > "\${word#*=}/grub/core.img" ;; esac
done
echo "$*" >> /sysroot/ostree/grub-install.log
`;

/** Programs for an image: GRUB's, and what a script needs. */
export async function grubImage(source: OsImage = {}): Promise<OsImage> {
  const shell = await Deno.realPath("/bin/sh");
  const libraries = [...(await capture(ctx, ["ldd", shell])).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
  const read = async (path: string) => [path.slice(1).replace(/^(lib|lib64)\//, "usr/$1/"), await Deno.readFile(path)];
  return {
    ...source,
    files: {
      "usr/lib/grub/i386-pc/syslinuxcfg.mod": "",
      "usr/lib/grub/x86_64-efi/syslinuxcfg.mod": "",
      ...source.files,
    },
    programs: {
      ...Object.fromEntries(await Promise.all(libraries.map(read))),
      "usr/bin/sh": await Deno.readFile(shell),
      "usr/bin/cp": "#!/bin/sh\n",
      "usr/bin/grub-mkimage": MKIMAGE,
      "usr/sbin/grub-install": INSTALL,
    },
  };
}
