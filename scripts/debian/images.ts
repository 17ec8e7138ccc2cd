/** Builds images of a Debian system with our package in it, layer by layer, as a container builder would. */
import type { Context } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";
import { diffRoots, listRoot, runInRoot, tarDiff, tarRoot } from "../demo/chroot.ts";
import { keptDirectory, keyOf } from "../kept.ts";
import { type Layer, OciLayout } from "../oci_layout.ts";
import { makeRoot, SUITE } from "./root.ts";

/** What each image has beside its kernel. */
const PACKAGES = [
  "systemd,systemd-sysv,udev,dbus,kmod,util-linux,mount,e2fsprogs,procps,iproute2",
  "dracut,ostree,ostree-boot,zstd,ca-certificates,less",
  // What our package needs.
  "skopeo",
];

/** From a Debian root to a tree that boots from ostree; the Containerfile for Debian uses the same. */
const SHAPE = new URL("../../contrib/debian-image.sh", import.meta.url);

const SOURCES = ["images.ts", "root.ts", "../demo/chroot.ts", "../oci_layout.ts"];

/** As a person would, from the file; then the image is looked over by what it installed. */
const INSTALL_BOOTC = `
apt-get --quiet --yes --no-install-recommends install /bootc.deb
rm /bootc.deb
bootc container lint`;

/** A step on the way to an image, which becomes a layer. */
export interface Step {
  /** One line for the image's history. */
  readonly title: string;
  /** Shell script that runs in the root. */
  readonly script: string;
}

/** A key for images: of what makes them here, and of what the caller adds, as {@linkcode keyOf} takes it. */
export async function imageKey(parts: readonly (string | URL)[]): Promise<string> {
  return await keyOf([...SOURCES.map((name) => new URL(name, import.meta.url)), SHAPE, ...parts]);
}

/** The root as it came from mmdebstrap and contrib/debian-image.sh, as `root/`, `oci/` and `layer.json` in the cache. */
async function debianBase(ctx: Context, packages: readonly string[]): Promise<string> {
  const make = async (directory: string) => {
    await makeRoot(ctx, `${directory}/root`, packages);
    await runInRoot(ctx, `${directory}/root`, await Deno.readTextFile(SHAPE));
    await tarRoot(ctx, `${directory}/root`, `${directory}/base.tar`);
    const layer = await new OciLayout(ctx, `${directory}/oci`).addLayer(`${directory}/base.tar`, "gzip");
    await Deno.remove(`${directory}/base.tar`);
    await Deno.writeTextFile(`${directory}/layer.json`, JSON.stringify(layer));
  };
  return await keptDirectory(ctx, { name: "debian", key: await imageKey(packages), make });
}

/** A root and the layers that give it. */
export interface Built {
  readonly root: string;
  readonly layers: readonly Layer[];
  readonly history: readonly string[];
}

/** Makes images in `DIRECTORY/oci`; roots lie beside it until they are removed. */
export class ImageBuilder {
  readonly #layout: OciLayout;

  private constructor(readonly ctx: Context, readonly directory: string) {
    this.#layout = new OciLayout(ctx, `${directory}/oci`);
  }

  /** Starts with the base and our package in it. `packages` are Debian's own that the image is to have besides. */
  static async start(
    ctx: Context,
    directory: string,
    options: { deb: string; packages?: readonly string[] },
  ): Promise<{ builder: ImageBuilder; built: Built }> {
    const base = await debianBase(ctx, [...PACKAGES, ...options.packages ?? []]);
    await run(ctx, ["cp", "-a", "--reflink=auto", `${base}/root`, `${directory}/base`]);
    await run(ctx, ["cp", "-a", "--reflink=auto", `${base}/oci`, `${directory}/oci`]);
    await Deno.copyFile(options.deb, `${directory}/base/bootc.deb`);
    const builder = new ImageBuilder(ctx, directory);
    const layer: Layer = JSON.parse(await Deno.readTextFile(`${base}/layer.json`));
    const first = { root: `${directory}/base`, layers: [layer], history: [`Debian ${SUITE} with a kernel`] };
    return { builder, built: await builder.step(first, { title: "bootc", script: INSTALL_BOOTC }) };
  }

  /** A copy of a root, for steps that the other is not to have. */
  async branch(built: Built, name: string): Promise<Built> {
    const root = `${this.directory}/${name}`;
    await run(this.ctx, ["cp", "-a", "--reflink=auto", built.root, root]);
    return { ...built, root };
  }

  /** Runs a script in the root and makes a layer of what it changed. */
  async step(built: Built, { title, script }: Step): Promise<Built> {
    const { root } = built;
    const before = await listRoot(this.ctx, root);
    // dpkg looks for its database in /var; on the running system tmpfiles.d makes this link.
    await runInRoot(this.ctx, root, `mkdir -p /var/lib; ln -sfn /usr/lib/sysimage/dpkg /var/lib/dpkg\n${script}`);
    const diff = diffRoots(before, await listRoot(this.ctx, root));
    const scratch = await Deno.makeTempDir({ dir: this.directory });
    await tarDiff(this.ctx, root, diff, `${scratch}/layer.tar`, scratch);
    const layer = await this.#layout.addLayer(`${scratch}/layer.tar`, "gzip");
    await Deno.remove(scratch, { recursive: true });
    return { root, layers: [...built.layers, layer], history: [...built.history, title] };
  }

  /** Makes a bootable image of it under a tag, which is also its version. */
  tag(built: Built, tag: string): void {
    this.#layout.addImage(tag, built.layers, {
      labels: { "containers.bootc": "1", "ostree.bootable": "true", "org.opencontainers.image.version": tag },
      history: built.history,
    });
  }
}
