/** A machine's surroundings: our package from the work tree, images with it, a registry that serves them, and a disk with the first. */
import type { Context } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";
import { workTreeDeb } from "../package/checkout.ts";
import { homeForRegistry, startRegistry } from "../registry.ts";
import { scratchDirectory } from "../script.ts";
import { installDisk } from "./disk.ts";
import { type MachineImages, machineImages, sourcesKey } from "./images.ts";
import { Machine } from "./machine.ts";
import type { Firmware } from "./machine_argv.ts";

/** A registry with images on them, and a disk where the first is installed. */
export interface Site extends AsyncDisposable {
  readonly images: MachineImages;
  /** Scratch space on a real file system. */
  readonly directory: string;
  /** Path of the raw disk. */
  readonly disk: string;
  /** The followed image, as the guest names it: "10.0.2.2:PORT/os:stable". */
  readonly followed: string;
  /** Lets `os:TAG` in the registry stand for an image, "oci:DIR:TAG"; `stable` when no tag is given. */
  publish(image: string, tag?: string): Promise<void>;
}

/** Tells a person what takes long. */
export type Say = (line: string) => void;

/** Gives the images, which have the program as it is in the work tree; built where the cache has none. */
export async function workTreeImages(ctx: Context, say: Say = () => {}): Promise<MachineImages> {
  return await machineImages(ctx, {
    key: await sourcesKey(ctx),
    build: (directory) => {
      say("Building a Debian package and two versions of a Debian system with it: some minutes, once");
      return workTreeDeb(ctx, directory);
    },
  });
}

/** Makes the registry, and a disk with `v1`; gone at the end of the block. */
export async function startSite(ctx: Context, say?: Say): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const images = await workTreeImages(ctx, say);
  // On a disk: in memory, docker-registry takes a minute for the 130 MB of a layer.
  const { path: directory } = stack.use(await scratchDirectory("bootc-vm-", ctx.env.TMPDIR || "/var/tmp"));
  const registry = stack.use(await startRegistry(directory));
  const env = { HOME: await homeForRegistry(directory, registry) };
  const publish = (image: string, tag = "stable") =>
    run(ctx, ["skopeo", "copy", "--quiet", image, `docker://${registry.host}/os:${tag}`], { env });
  await publish(`oci:${images.layout}:v1`);
  const disk = `${directory}/disk.img`;
  // The guest sees the host's loopback there.
  const followed = `${registry.host.replace("127.0.0.1", "10.0.2.2")}/os:stable`;
  await installDisk(ctx, { disk, image: `${images.layout}:v1`, follow: followed });
  const owned = stack.move();
  return { images, directory, disk, followed, publish, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A machine that booted `v1` and follows an image in a registry of its own. */
export interface System extends AsyncDisposable {
  readonly site: Site;
  readonly machine: Machine;
}

/** Installs and boots a system; gone at the end of the block. */
export async function startSystem(ctx: Context, firmware: Firmware): Promise<System> {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await startSite(ctx));
  const machine = stack.use(await Machine.start(ctx, { disk: site.disk, firmware, snapshot: true }));
  const owned = stack.move();
  return { site, machine, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
