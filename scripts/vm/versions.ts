/** More versions of the machines' system, made in a second: each with a kernel argument, an initramfs, and files in /etc of its own. */
import type { Context } from "../../lib/sys/context.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { type Layer, OciLayout } from "../oci_layout.ts";
import type { MachineImages } from "./images.ts";

/** What a layer of a version has; `$0` is its root, `$1` the version, `$2` the initramfs of the version before, below lib/modules. */
const TREE = `
cd "$0"
put() { mkdir -p "$(dirname "$1")"; printf '%s\\n' "$2" > "$1"; }
put usr/lib/vm-version "$1"
put usr/lib/bootc/kargs.d/50-vm.toml "kargs = [\\"vm.version=$1\\"]"
put etc/vm-default.conf "default $1"
put "etc/vm-only-$1.conf" "$1"
initramfs="usr/lib/modules/$(basename "$(dirname "$2")")/initramfs.img"
mkdir -p "$(dirname "$initramfs")" more/etc
put more/etc/vm-initramfs "$1"
{ cat "$2"; (cd more; find . | cpio --quiet -o -H newc | zstd -q); } > "$initramfs"
rm -r more
tar --create --file "$0.tar" --owner=0 --group=0 --mtime=@0 --sort=name usr etc`;

/** Makes an image of a version on top of `v2`, in a layout of its own that lacks the layers below; gives its name, "oci:DIR:VERSION". */
export async function makeVersion(
  ctx: Context,
  { images, directory, version }: { images: MachineImages; directory: string; version: string },
): Promise<string> {
  const layout = new OciLayout(ctx, `${directory}/versions`);
  const root = await Deno.makeTempDir({ dir: directory, prefix: "version-" });
  await run(ctx, ["sh", "-euc", TREE, root, version, images.initramfs]);
  const layer = await layout.addLayer(`${root}.tar`, "gzip-fast");
  await run(ctx, ["rm", "-r", "--", root, `${root}.tar`]);
  const below = await layersOf(ctx, `oci:${images.layout}:v2`);
  layout.addImage(version, [...below, layer], {
    labels: { "containers.bootc": "1", "ostree.bootable": "true", "org.opencontainers.image.version": version },
  });
  return `oci:${layout.path}:${version}`;
}

async function layersOf(ctx: Context, image: string): Promise<Layer[]> {
  const inspect = async (...words: string[]) => JSON.parse(await capture(ctx, ["skopeo", "inspect", ...words, image]));
  const { layers } = await inspect("--raw") as { layers: Omit<Layer, "diffId">[] };
  const { rootfs } = await inspect("--config", "--raw") as { rootfs: { diff_ids: string[] } };
  return layers.map((layer, i) => ({ ...layer, diffId: rootfs.diff_ids[i]! }));
}
