/** Two versions of a Debian system as OCI images, built with mmdebstrap and kept in the cache. */
import { Sha256 } from "../../lib/codec/sha256.ts";
import type { Context } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { type Layer, OciLayout } from "../oci_layout.ts";
import { cacheDirectory } from "../script.ts";
import { diffRoots, listRoot, runInRoot, tarDiff, tarRoot } from "./chroot.ts";

/** Debian's stable release at the time of writing; its ostree and dracut are known to boot. */
export const SUITE = "trixie";

const PACKAGES = [
  "systemd,systemd-sysv,udev,dbus,kmod,util-linux,mount,e2fsprogs,procps,iproute2",
  "dracut,ostree,ostree-boot,zstd,ca-certificates,less",
  // What our package needs.
  "skopeo",
];

/** From a Debian root to a tree that boots from ostree; the Containerfile for Debian uses the same. */
const SHAPE = new URL("../../contrib/debian-image.sh", import.meta.url);

/** As a person would, from the file; then the image is looked over by what it installed. */
const INSTALL_BOOTC = `
apt-get --quiet --yes --no-install-recommends install /bootc.deb
rm /bootc.deb
bootc container lint`;

/** A version of the system, as a layer on the base: one package at another version, some files, something removed. */
export interface Version {
  readonly tag: string;
  /** What differs from the version before, for a person. */
  readonly news: string;
  /** Shell script for the packages layer. */
  readonly packages: string;
  /** Shell script for the configuration layer. */
  readonly configuration: string;
}

/** Builds and installs a small package of our own with the image's own dpkg. */
function installGreeter(version: string, text: string): string {
  return `
mkdir -p /tmp/greeter/DEBIAN /tmp/greeter/usr/bin /tmp/greeter/usr/share/greeter
printf 'Package: greeter\\nVersion: ${version}\\nArchitecture: all\\nMaintainer: bootc demo <root@localhost>\\nDescription: says hello\\n' > /tmp/greeter/DEBIAN/control
printf '#!/bin/sh\\ncat /usr/share/greeter/text\\n' > /tmp/greeter/usr/bin/greeter
chmod 0755 /tmp/greeter/usr/bin/greeter
echo '${text}' > /tmp/greeter/usr/share/greeter/text
dpkg-deb --root-owner-group --build /tmp/greeter /tmp/greeter.deb
dpkg --install /tmp/greeter.deb`;
}

/** The two versions, in order. */
export const VERSIONS: readonly [Version, Version] = [
  {
    tag: "13.1",
    news: "",
    packages: installGreeter("1.0", "Hello from version 1.0"),
    configuration: `echo 'Welcome to image 13.1' > /etc/motd; echo 'vm.swappiness = 60' > /etc/sysctl.d/50-demo.conf`,
  },
  {
    tag: "13.2",
    news:
      "the package greeter goes from 1.0 to 1.1, two files in /etc change, one is new, the package less and /etc/issue.net go",
    packages: `${installGreeter("1.1", "Hello from version 1.1")}\ndpkg --purge less`,
    configuration: `echo 'Welcome to image 13.2' > /etc/motd; echo 'vm.swappiness = 10' > /etc/sysctl.d/50-demo.conf
echo 'net.ipv4.tcp_fastopen = 3' > /etc/sysctl.d/60-demo.conf; rm -f /etc/issue.net`,
  },
];

/** Debian's archive as this machine's apt reaches it; undefined where apt is not set up for Debian. */
export async function debianMirror(ctx: Context): Promise<string | undefined> {
  try {
    const text = await capture(ctx, ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian"]);
    return text.split("\n").find((line) => line !== "");
  } catch {
    return undefined;
  }
}

/** Makes a Debian root; needs to be root. @throws {ToolError} with the end of mmdebstrap's words */
export async function makeRoot(ctx: Context, root: string, packages: readonly string[]): Promise<void> {
  const kernel = `linux-image-cloud-${Deno.build.arch === "aarch64" ? "arm64" : "amd64"}`;
  const mirror = await debianMirror(ctx);
  // deno-fmt-ignore
  const argv = [
    "--quiet", "--variant=minbase", "--components=main",
    `--include=${[kernel, ...packages].join(",")}`,
    `--aptopt=APT::Install-Recommends "false"`,
    `--aptopt=Acquire::Check-Valid-Until "false"`,
    "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
    SUITE, root, ...(mirror === undefined ? [] : [mirror]),
  ];
  // The kernel's package need not make an initramfs: contrib/debian-image.sh makes the one that can find an ostree root.
  await run(ctx, ["mmdebstrap", ...argv], { env: { INITRD: "No" } });
}

class Builder {
  readonly #layout: OciLayout;
  constructor(readonly ctx: Context, readonly directory: string) {
    this.#layout = new OciLayout(ctx, `${directory}/oci`);
  }

  async #layer(tar: string): Promise<Layer> {
    const layer = await this.#layout.addLayer(tar, "gzip");
    await Deno.remove(tar);
    return layer;
  }

  /** The root as it came from mmdebstrap and contrib/debian-image.sh, and our package in it. */
  async base(deb: string): Promise<Layer[]> {
    const root = `${this.directory}/base`;
    await makeRoot(this.ctx, root, PACKAGES);
    await runInRoot(this.ctx, root, await Deno.readTextFile(SHAPE));
    await tarRoot(this.ctx, root, `${this.directory}/base.tar`);
    const base = await this.#layer(`${this.directory}/base.tar`);
    await Deno.copyFile(deb, `${root}/bootc.deb`);
    return [base, await this.#step(root, INSTALL_BOOTC)];
  }

  /** Runs a script in the root and makes a layer of what it changed. */
  async #step(root: string, scriptText: string): Promise<Layer> {
    const before = await listRoot(this.ctx, root);
    // dpkg looks for its database in /var; on the running system tmpfiles.d makes this link.
    await runInRoot(this.ctx, root, `mkdir -p /var/lib; ln -sfn /usr/lib/sysimage/dpkg /var/lib/dpkg\n${scriptText}`);
    const diff = diffRoots(before, await listRoot(this.ctx, root));
    const scratch = await Deno.makeTempDir({ dir: this.directory });
    await tarDiff(this.ctx, root, diff, `${scratch}/layer.tar`, scratch);
    return await this.#layer(`${scratch}/layer.tar`);
  }

  async version(base: readonly Layer[], version: Version): Promise<void> {
    const root = `${this.directory}/root-${version.tag}`;
    await run(this.ctx, ["cp", "-a", "--reflink=auto", `${this.directory}/base`, root]);
    const layers = [...base, await this.#step(root, version.packages), await this.#step(root, version.configuration)];
    this.#layout.addImage(version.tag, layers, {
      labels: { "containers.bootc": "1", "ostree.bootable": "true", "org.opencontainers.image.version": version.tag },
      history: [`Debian ${SUITE} with a kernel`, "bootc", "packages", "configuration"],
    });
  }
}

/** The images, and whether they had to be built. */
export interface DemoImages {
  /** Layout directory with a tag for each version. */
  readonly layout: string;
  readonly fromCache: boolean;
}

/** What the images depend on: these scripts, and the package. */
async function cacheKey(deb: string): Promise<string> {
  const files = [new URL("image.ts", import.meta.url), new URL("chroot.ts", import.meta.url), SHAPE, deb];
  const hash = new Sha256();
  for (const file of files) hash.update(await Deno.readFile(file));
  return hash.digest().toHex().slice(0, 12);
}

/** Images of older versions of these scripts, or of the package, are of no more use. */
async function removeOlder(ctx: Context): Promise<void> {
  const directory = cacheDirectory(ctx.env);
  for (const { name } of Deno.readDirSync(directory)) {
    if (/^demo-[0-9a-f]{12}$/.test(name)) await Deno.remove(`${directory}/${name}`, { recursive: true });
  }
}

/**
 * Gives the images with a Debian package of ours in them, from the cache where these scripts already made them; `onBuild` is called first
 * where they have to be built. They are built aside and renamed: an interrupted build leaves nothing.
 * @throws {UserError} when the caller is not root
 */
export async function demoImages(ctx: Context, deb: string, onBuild: () => void): Promise<DemoImages> {
  const kept = `${cacheDirectory(ctx.env)}/demo-${await cacheKey(deb)}`;
  if (await Deno.stat(kept).then(() => true, () => false)) return { layout: `${kept}/oci`, fromCache: true };
  if (Deno.uid() !== 0) throw new UserError("Building a Debian root needs root", { hint: "Run it as root" });
  onBuild();
  await Deno.mkdir(cacheDirectory(ctx.env), { recursive: true });
  const directory = await Deno.makeTempDir({ dir: cacheDirectory(ctx.env), prefix: "building-" });
  try {
    const builder = new Builder(ctx, directory);
    const base = await builder.base(deb);
    for (const version of VERSIONS) await builder.version(base, version);
    await Deno.mkdir(`${directory}/done`);
    await Deno.rename(`${directory}/oci`, `${directory}/done/oci`);
    await removeOlder(ctx);
    await Deno.rename(`${directory}/done`, kept);
    return { layout: `${kept}/oci`, fromCache: false };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
