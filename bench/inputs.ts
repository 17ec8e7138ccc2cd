/**
 * The images that are measured, made once and kept in the cache. Every image has an ostree-native base, so that the reference can pull it
 * too. Content is the same on every machine but for the Debian root, which is what the archive serves on the day it is made.
 */
import type { Context } from "../lib/sys/context.ts";
import { capture, run } from "../lib/sys/run.ts";
import { tarRoot } from "../scripts/demo/chroot.ts";
import { makeRoot } from "../scripts/debian/root.ts";
import { type Layer, type LayerCompression, OciLayout } from "../scripts/oci_layout.ts";
import { cacheDirectory } from "../scripts/script.ts";
import { writeNativeLayers } from "./native_layers.ts";
import { content, TarFile } from "./tar_file.ts";

/** Raised when the inputs change, so that old ones are not used. */
const VERSION = 1;

const ROOT_PACKAGES = ["systemd,dracut,ostree,skopeo,git,python3,vim,g++,perl,less,e2fsprogs,iproute2,ca-certificates"];

/** A kind of layer that many images are made of. */
interface Series {
  /** Directory below usr/share. */
  readonly name: string;
  readonly files: number;
  readonly sizeBytes: number;
  /** Changes all content. */
  readonly seed: number;
}

function writeSeries(path: string, { name, files, sizeBytes, seed }: Series): void {
  using tar = new TarFile(path);
  const owner = { uid: 0, gid: 0 };
  const top = `usr/share/${name}`;
  for (const directory of ["usr", "usr/share", top]) {
    tar.add({ name: `${directory}/`, type: "directory", mode: 0o755, ...owner });
  }
  for (let i = 0; i < files; i++) {
    // A thousand files a directory at most.
    if (i % 1000 === 0) tar.add({ name: `${top}/${i / 1000}/`, type: "directory", mode: 0o755, ...owner });
    const file = { name: `${top}/${Math.floor(i / 1000)}/file${i}`, type: "file", mode: 0o644, ...owner } as const;
    tar.add(file, content(seed * 1_000_003 + i, sizeBytes));
  }
  tar.end();
}

function writeBootable(path: string): void {
  using tar = new TarFile(path);
  const owner = { uid: 0, gid: 0 };
  const text = (name: string, body: string) => {
    tar.add({ name, type: "file", mode: 0o644, ...owner }, new TextEncoder().encode(body));
  };
  for (const name of ["boot", "etc", "run", "sysroot", "tmp", "usr", "usr/bin", "usr/lib", "var"]) {
    tar.add({ name: `${name}/`, type: "directory", mode: 0o755, ...owner });
  }
  tar.add({ name: "ostree", type: "symlink", mode: 0o777, link: "sysroot/ostree", ...owner });
  text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  text("usr/lib/os-release", "NAME=bench\nID=bench\nVERSION_ID=1\nPRETTY_NAME=bench\n");
  text("usr/lib/modules/6.1.0/vmlinuz", "a kernel\n");
  text("usr/lib/modules/6.1.0/initramfs.img", "an initramfs\n");
  tar.end();
}

/** Names of the images; each is a tag of the layout. */
export type InputName =
  | "native-gzip"
  | "native-zstd"
  | "derived-gzip"
  | "derived-zstd"
  | "chunks50"
  | "derived20"
  | "derived20-next"
  | "small-derived"
  | "small60"
  | "layers200"
  | "files200k"
  | "big3g"
  | "bootable1"
  | "bootable2"
  | "bootable3";

/** The images in the cache. Making one writes to the cache, and for a while as much again as its tar files need. */
export class Inputs {
  readonly #directory: string;
  readonly #layout: OciLayout;
  readonly #layers = new Map<string, Layer>();

  constructor(readonly ctx: Context) {
    this.#directory = `${cacheDirectory(ctx.env)}/bench-${VERSION}`;
    this.#layout = new OciLayout(ctx, `${this.#directory}/oci`);
    try {
      const text = Deno.readTextFileSync(`${this.#directory}/layers.json`);
      for (const [key, layer] of JSON.parse(text) as [string, Layer][]) this.#layers.set(key, layer);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** The layout's directory: `oci:DIR:NAME` is an image once {@linkcode Inputs.image} made it. */
  get path(): string {
    return this.#layout.path;
  }

  /** A layer under a name, compressed from the tar that `write` makes, unless it is there. */
  async #layer(
    name: string,
    compression: LayerCompression,
    write: (tar: string) => void | Promise<void>,
  ): Promise<Layer> {
    const key = `${name}.${compression}`;
    const known = this.#layers.get(key);
    if (known) return known;
    const tar = `${this.#directory}/${name}.tar`;
    if (!await exists(tar)) await write(tar);
    const layer = await this.#layout.addLayer(tar, compression);
    if (name !== "root-plain") await Deno.remove(tar);
    this.#layers.set(key, layer);
    await Deno.writeTextFile(`${this.#directory}/layers.json`, JSON.stringify([...this.#layers]));
    return layer;
  }

  async #series(series: Series, compression: LayerCompression = "gzip"): Promise<Layer> {
    return await this.#layer(`${series.name}-${series.seed}`, compression, (tar) => writeSeries(tar, series));
  }

  /** The Debian root as a plain tar file. */
  async #rootTar(): Promise<string> {
    const tar = `${this.#directory}/root-plain.tar`;
    if (await exists(tar)) return tar;
    const root = `${this.#directory}/root`;
    await run(this.ctx, ["rm", "-rf", "--", root]);
    console.error("bench: building a Debian root with mmdebstrap (once)");
    await makeRoot(this.ctx, root, ROOT_PACKAGES);
    await tarRoot(this.ctx, root, `${tar}.partial`);
    await run(this.ctx, ["rm", "-rf", "--", root]);
    await Deno.rename(`${tar}.partial`, tar);
    return tar;
  }

  /** Commits a tar file into a repository of its own and writes that as native layers, the first of which has all metadata. */
  async #nativeTars(name: string, tar: string, chunks: number): Promise<string[]> {
    const work = `${this.#directory}/work-${name}`;
    await run(this.ctx, ["rm", "-rf", "--", work]);
    await Deno.mkdir(`${work}/tree/usr`, { recursive: true });
    await run(this.ctx, ["tar", "-C", `${work}/tree`, "--numeric-owner", "-xf", tar]);
    await run(this.ctx, ["sh", "-euc", `cd "$0"; [ ! -d etc ] || mv etc usr/etc`, `${work}/tree`]);
    await run(this.ctx, ["ostree", "init", `--repo=${work}/repo`, "--mode=bare"]);
    // deno-fmt-ignore
    const commit = await capture(this.ctx, [
      "ostree", "commit", `--repo=${work}/repo`, "--orphan", "--no-xattrs", "--consume", "--no-bindings",
      "--timestamp=@0", `--tree=dir=${work}/tree`,
    ]);
    const tars = writeNativeLayers(`${work}/repo`, commit.trim(), { directory: this.#directory, chunks });
    await run(this.ctx, ["rm", "-rf", "--", work]);
    return tars;
  }

  async #native(
    name: string,
    chunks: number,
    compression: LayerCompression,
    tar: () => Promise<string>,
  ): Promise<Layer[]> {
    const names = Array.from({ length: chunks + 1 }, (_, i) => `${name}-native-${chunks}-${i}`);
    let tars: string[] | undefined;
    const layers: Layer[] = [];
    for (const [i, layerName] of names.entries()) {
      layers.push(
        await this.#layer(layerName, compression, async (path) => {
          tars ??= await this.#nativeTars(name, await tar(), chunks);
          await Deno.rename(tars[i]!, path);
        }),
      );
    }
    return layers;
  }

  /** The Debian root, committed. */
  #rootNative(chunks: number, compression: LayerCompression = "gzip"): Promise<Layer[]> {
    return this.#native("root", chunks, compression, () => this.#rootTar());
  }

  /** A system that can be deployed, if not booted. */
  #bootableBase(): Promise<Layer[]> {
    return this.#native("bootable", 0, "gzip", () => {
      const tar = `${this.#directory}/bootable-base.tar`;
      writeBootable(tar);
      return Promise.resolve(tar);
    });
  }

  /** A base of 500 small files, where the layers above it are what is measured. */
  #smallBase(): Promise<Layer[]> {
    return this.#native("small", 0, "gzip", () => {
      const tar = `${this.#directory}/small-base.tar`;
      writeSeries(tar, { name: "base", files: 500, sizeBytes: 1024, seed: 1 });
      return Promise.resolve(tar);
    });
  }

  async #many(count: number, series: Omit<Series, "name">, name: string): Promise<Layer[]> {
    const layers: Layer[] = [];
    for (let i = 0; i < count; i++) {
      layers.push(await this.#series({ ...series, name: `${name}${i}`, seed: series.seed + i }));
    }
    return layers;
  }

  /** Native layers and derived ones of an image. */
  async #parts(name: InputName): Promise<{ native: Layer[]; derived: Layer[] }> {
    const plainRoot = async (compression: LayerCompression) =>
      await this.#layer("root-plain", compression, async () => void await this.#rootTar());
    switch (name) {
      case "native-gzip":
        return { native: await this.#rootNative(0), derived: [] };
      case "native-zstd":
        return { native: await this.#rootNative(0, "zstd"), derived: [] };
      case "chunks50":
        return { native: await this.#rootNative(50), derived: [] };
      case "derived-gzip":
        return { native: await this.#smallBase(), derived: [await plainRoot("gzip")] };
      case "derived-zstd":
        return { native: await this.#smallBase(), derived: [await plainRoot("zstd")] };
      case "derived20":
      case "derived20-next": {
        const derived = await this.#many(20, { files: 1000, sizeBytes: 10_000, seed: 100 }, "derived");
        if (name === "derived20-next") {
          derived[10] = await this.#series({ name: "derived10", files: 1000, sizeBytes: 10_000, seed: 999 });
        }
        return { native: await this.#rootNative(0), derived };
      }
      case "small-derived":
        return {
          native: await this.#rootNative(0),
          derived: await this.#many(1, { files: 100, sizeBytes: 2000, seed: 400 }, "little"),
        };
      case "small60":
        return {
          native: await this.#smallBase(),
          derived: await this.#many(60, { files: 100, sizeBytes: 2000, seed: 200 }, "small"),
        };
      case "layers200":
        return {
          native: await this.#smallBase(),
          derived: await this.#many(200, { files: 50, sizeBytes: 2000, seed: 500 }, "thin"),
        };
      case "files200k":
        return {
          native: await this.#smallBase(),
          derived: [await this.#series({ name: "files", files: 200_000, sizeBytes: 1024, seed: 3 })],
        };
      case "bootable1":
      case "bootable2":
      case "bootable3": {
        const seed = 600 + Number(name.at(-1));
        return {
          native: await this.#bootableBase(),
          derived: [await this.#series({ name: "app", files: 10, sizeBytes: 1000, seed })],
        };
      }
      case "big3g":
        return {
          native: await this.#smallBase(),
          derived: [await this.#series({ name: "big", files: 300, sizeBytes: 10_000_000, seed: 4 }, "gzip-fast")],
        };
    }
  }

  /** Makes an image unless it is there, and gives its `oci:` reference. */
  async image(name: InputName): Promise<string> {
    const { native, derived } = await this.#parts(name);
    this.#layout.addImage(name, [...native, ...derived], {
      labels: {
        "ostree.final-diffid": native.at(-1)!.diffId,
        "containers.bootc": "1",
        "ostree.bootable": "true",
        "org.opencontainers.image.version": name,
      },
    });
    return `oci:${this.path}:${name}`;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
