/** A machine's surroundings: our package from the work tree, images with it, a registry that serves them, and a disk with the first. */
import { installDisk } from "../../scripts/vm/disk.ts";
import { homeForRegistry, startRegistry } from "../../scripts/registry.ts";
import { machineImages, sourcesKey } from "../../scripts/vm/images.ts";
import { type Firmware, Machine } from "../../scripts/vm/machine.ts";
import { checkout, ctx, must } from "../packaging/checkout.ts";
import "../libraries.ts";
import { tempDir } from "../temp.ts";

/** Packages the work tree as it is, committed or not; the package's own tests are left out. */
async function packageWorkTree(directory: string): Promise<string> {
  const cwd = await checkout(`${directory}/project`);
  const env = { DEB_BUILD_OPTIONS: "nocheck", BOOTC_DEB_COMPRESSION: "-Zgzip -z1" };
  const made = await must(["deno", "run", "-A", "scripts/package-rpm.ts", "deb"], { cwd, env });
  return `${cwd}/${made.trim()}`;
}

/** A machine that booted `v1` and follows an image in a registry of its own. */
export interface System extends AsyncDisposable {
  readonly machine: Machine;
  /** Lets the followed tag stand for this version, from the guest's view. */
  publish(version: "v1" | "v2"): Promise<unknown>;
  /** The followed image: "10.0.2.2:PORT/os:stable". */
  readonly followed: string;
}

/** Installs and boots a system; gone at the end of the block. */
export async function startSystem(firmware: Firmware): Promise<System> {
  await using stack = new AsyncDisposableStack();
  const { layout } = await machineImages(ctx, { key: await sourcesKey(ctx), build: packageWorkTree });
  const tmp = stack.use(await tempDir("/var/tmp"));
  // On the disk: in memory, docker-registry takes a minute for the 130 MB of a layer.
  const registry = stack.use(await startRegistry(tmp.path));
  const env = { HOME: await homeForRegistry(tmp.path, registry) };
  const publish = (version: string) =>
    must(["skopeo", "copy", "--quiet", `oci:${layout}:${version}`, `docker://${registry.host}/os:stable`], { env });
  await publish("v1");
  const disk = `${tmp.path}/disk.img`;
  // The guest sees the host's loopback there.
  const followed = `${registry.host.replace("127.0.0.1", "10.0.2.2")}/os:stable`;
  await installDisk(ctx, { disk, image: `${layout}:v1`, follow: followed });
  const machine = stack.use(await Machine.start(ctx, { disk, firmware, snapshot: true }));
  const owned = stack.move();
  return { machine, publish, followed, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
