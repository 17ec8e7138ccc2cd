/** Bootable images of an operating system that is small enough to deploy in a blink. */
import { dir, file, image, link, type Node, ociImage, type WrittenImage } from "./image.ts";

/** What an image is made of. */
export interface OsImage {
  /** Label `org.opencontainers.image.version`. */
  readonly version?: string;
  /** "6.1.0-test" without it; null for an image without kernel. */
  readonly kernel?: string | null;
  /** More kernels. */
  readonly kernels?: readonly string[];
  readonly initramfs?: boolean;
  /** Content of the layer on top, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Programs of the layer on top, which anybody may run. */
  readonly programs?: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>;
  /** Symlinks of the layer on top: target by path. */
  readonly links?: Readonly<Record<string, string>>;
  readonly kargs?: readonly string[];
  readonly labels?: Record<string, string>;
  readonly architecture?: string;
  readonly created?: string;
  readonly tag?: string;
}

function kernelFiles(version: string, initramfs: boolean): [string, Node][] {
  const directory = `usr/lib/modules/${version}`;
  const files: [string, Node][] = [[`${directory}/`, dir()], [`${directory}/vmlinuz`, file(`kernel ${version}\n`)]];
  if (initramfs) files.push([`${directory}/initramfs.img`, file(`initramfs ${version}\n`)]);
  return files;
}

/** The lowest layer: the same for all images with the same kernels. */
function baseLayer(source: OsImage) {
  const links = {
    bin: "usr/bin",
    sbin: "usr/sbin",
    lib: "usr/lib",
    lib64: "usr/lib64",
    ostree: "sysroot/ostree",
    home: "var/home",
    root: "var/roothome",
  };
  const directories = [
    "boot",
    "dev",
    "proc",
    "run",
    "sys",
    "sysroot",
    "tmp",
    "var",
    "usr",
    "usr/bin",
    "usr/sbin",
    "usr/lib",
    "usr/lib/modules",
    "etc",
  ];
  const kernel = source.kernel === undefined ? "6.1.0-test" : source.kernel;
  const kernels = [...(kernel === null ? [] : [kernel]), ...(source.kernels ?? [])];
  return image([
    ...directories.map((name): [string, Node] => [`${name}/`, dir()]),
    ...Object.entries(links).map(([name, target]): [string, Node] => [name, link(target)]),
    ...kernels.flatMap((version) => kernelFiles(version, source.initramfs ?? true)),
    ["usr/lib/os-release", file('NAME="Test OS"\nID=testos\nVERSION_ID=1\nPRETTY_NAME="Test OS 1"\n')],
    ["etc/os-release", link("../usr/lib/os-release")],
    ["etc/passwd", file("root:x:0:0:root:/root:/bin/sh\n")],
    ["etc/machine-id", file("")],
    ["etc/containers/policy.json", file('{"default":[{"type":"insecureAcceptAnything"}]}\n')],
  ]);
}

/** Writes an image into an `oci:` directory. */
export function osImage(directory: string, source: OsImage = {}): WrittenImage {
  const files = Object.entries(source.files ?? {}).map(([name, content]): [string, Node] => [name, file(content)]);
  for (const [name, content] of Object.entries(source.programs ?? {})) {
    files.push([name, file(content, { mode: 0o755 })]);
  }
  const links = Object.entries(source.links ?? {}).map(([name, target]): [string, Node] => [name, link(target)]);
  const kargs = source.kargs
    ? [["usr/lib/bootc/kargs.d/10-test.toml", file(`kargs = ${JSON.stringify(source.kargs)}\n`)] as [string, Node]]
    : [];
  return ociImage(directory, {
    layers: [baseLayer(source), image([...files, ...links, ...kargs])],
    labels: source.labels ?? {
      "containers.bootc": "1",
      ...(source.version === undefined ? {} : { "org.opencontainers.image.version": source.version }),
    },
    ...(source.architecture === undefined ? {} : { architecture: source.architecture }),
    ...(source.created === undefined ? {} : { created: source.created }),
    ...(source.tag === undefined ? {} : { tag: source.tag }),
  });
}
