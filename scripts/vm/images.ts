/** Two versions of a Debian system for {@linkcode Machine}, built once and kept in the cache. */
import type { Context } from "../../lib/sys/context.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { ImageBuilder, imageKey, type Step } from "../debian/images.ts";
import { keptDirectory } from "../kept.ts";
import { gitArgv } from "../package/version.ts";
import { projectDirectory } from "../script.ts";

/** The agent that drives the machine, the boot loader that is installed from the image, and what prunes images that are not the host's. */
const PACKAGES = ["qemu-guest-agent", "grub-pc-bin,grub-efi-amd64-bin,grub2-common", "podman"];

const MACHINE = new URL("machine.sh", import.meta.url);

/** The tags of the images, in order. */
export const MACHINE_VERSIONS = ["v1", "v2"] as const;
type MachineVersion = typeof MACHINE_VERSIONS[number];

/**
 * What tells the versions apart: `/usr/lib/vm-version`, a kernel argument `vm.version=VERSION`, and files in /etc, one for each case of its
 * merge. The boot test says what becomes of them.
 */
function versionStep(version: MachineVersion): Step {
  const common = `
put() { printf '%s\\n' "$2" > "$1"; }
put /usr/lib/vm-version ${version}
mkdir -p /usr/lib/bootc/kargs.d
put /usr/lib/bootc/kargs.d/50-vm.toml 'kargs = ["vm.version=${version}"]'
put /etc/vm-default.conf 'default ${version}'
put /etc/vm-edited.conf 'default ${version}'
put /etc/vm-deleted.conf 'default ${version}'
put /etc/vm-clash.conf 'only a file at first'
printf 'vmuser:x:%s:100::/var/lib/vmuser:/usr/sbin/nologin\\n' ${UIDS[version]} >> /etc/passwd`;
  return { title: `version ${version}`, script: common + SPECIFIC[version] };
}

/** The number of a user that owns files in /var: an update that changes it is warned of. */
const UIDS: Readonly<Record<MachineVersion, number>> = { v1: 900, v2: 901 };

const SPECIFIC: Readonly<Record<MachineVersion, string>> = {
  v1: `
put /etc/vm-gone.conf 'only in v1'`,
  // A file more in the initramfs: with it, deployments of both versions do not share what is in /boot.
  v2: `
put /etc/vm-new.conf 'new in v2'
mkdir -p /tmp/more/etc
put /tmp/more/etc/vm-initramfs v2
cd /tmp/more
find . | cpio --quiet -o -H newc | zstd -q >> "$(echo /usr/lib/modules/*/initramfs.img)"`,
};

/** The images, as they lie in the cache. */
export interface MachineImages {
  /** Layout directory with a tag for each of {@linkcode MACHINE_VERSIONS}. */
  readonly layout: string;
  /** Path of the initramfs that v1 has, in a directory that is named after its kernel. */
  readonly initramfs: string;
}

/** A package of ours, made only where images have to be built. */
export interface PackageSource {
  /** The same for the same package. */
  readonly key: string;
  /** Makes the Debian package in a directory and gives its path. */
  readonly build: (directory: string) => Promise<string>;
}

/** A key for the sources in the project's folder that a package is made of, committed or not. */
export async function sourcesKey(ctx: Context): Promise<string> {
  const without = ["tests", "bench", "docs", "scripts/vm", "*.md"].map((name) => `:!${name}`);
  const files = gitArgv("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".", ...without);
  const tar = "tar --create --null --ignore-failed-read --no-recursion --files-from - --mtime=@0 --owner=0 --group=0";
  return await capture(ctx, [
    "sh",
    "-euc",
    `cd "$0"; "$@" | ${tar} 2>/dev/null | sha256sum`,
    projectDirectory,
    ...files,
  ]);
}

async function build(ctx: Context, directory: string, deb: string): Promise<void> {
  const { builder, built } = await ImageBuilder.start(ctx, directory, { deb, packages: PACKAGES });
  const base = await builder.step(built, { title: "virtual machine", script: await Deno.readTextFile(MACHINE) });
  for (const version of MACHINE_VERSIONS) {
    const next = await builder.step(await builder.branch(base, `root-${version}`), versionStep(version));
    builder.tag(next, version);
  }
  await run(ctx, [
    "sh",
    "-euc",
    `cd "$0"; mkdir "$1/modules"; cp -a --parents */initramfs.img "$1/modules/"`,
    `${base.root}/usr/lib/modules`,
    directory,
  ]);
  for (const name of ["base", "root-v1", "root-v2"]) await Deno.remove(`${directory}/${name}`, { recursive: true });
}

/**
 * Gives the images with a package of ours in them, from the cache where they were already made; needs to be root where not.
 * @throws {ToolError} with the end of what a tool said
 */
export async function machineImages(ctx: Context, source: PackageSource): Promise<MachineImages> {
  const make = async (directory: string) => {
    const scratch = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "bootc-deb-" });
    try {
      await build(ctx, directory, await source.build(scratch));
    } finally {
      await Deno.remove(scratch, { recursive: true });
    }
  };
  const key = await imageKey([new URL(import.meta.url), MACHINE, source.key]);
  const kept = await keptDirectory(ctx, { name: "machine", key, make });
  const [kernel] = [...Deno.readDirSync(`${kept}/modules`)];
  return { layout: `${kept}/oci`, initramfs: `${kept}/modules/${kernel!.name}/initramfs.img` };
}
