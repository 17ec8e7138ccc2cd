/** Two versions of a Debian system as OCI images, built with mmdebstrap and kept in the cache. */
import type { Context } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";
import { ImageBuilder, imageKey } from "../debian/images.ts";
import { keptDirectory } from "../kept.ts";

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

/** The images, and whether they had to be built. */
export interface DemoImages {
  /** Layout directory with a tag for each version. */
  readonly layout: string;
  readonly fromCache: boolean;
}

async function build(ctx: Context, directory: string, deb: string): Promise<void> {
  const { builder, built } = await ImageBuilder.start(ctx, directory, { deb });
  for (const version of VERSIONS) {
    let next = await builder.branch(built, `root-${version.tag}`);
    next = await builder.step(next, { title: "packages", script: version.packages });
    next = await builder.step(next, { title: "configuration", script: version.configuration });
    builder.tag(next, version.tag);
    await Deno.remove(next.root, { recursive: true });
  }
  await Deno.remove(built.root, { recursive: true });
}

/**
 * Gives the images with a Debian package of ours in them, from the cache where these scripts already made them; `onBuild` is called first
 * where they have to be built.
 * @throws {UserError} when the caller is not root
 */
export async function demoImages(ctx: Context, deb: string, onBuild: () => void): Promise<DemoImages> {
  let fromCache = true;
  const make = async (directory: string) => {
    if (Deno.uid() !== 0) throw new UserError("Building a Debian root needs root", { hint: "Run it as root" });
    fromCache = false;
    onBuild();
    await build(ctx, directory, deb);
  };
  const key = await imageKey([new URL(import.meta.url), new URL(`file://${deb}`)]);
  const kept = await keptDirectory(ctx, { name: "demo", key, make });
  return { layout: `${kept}/oci`, fromCache };
}
