/** Running the image's own tools on the target: in its deployment, as a container would. */
import type { Context } from "../../sys/context.ts";
import { detachMount, mountDirectory, mountVirtual } from "../../sys/libc_mount.ts";
import { capture, run } from "../../sys/run.ts";
import type { BootTarget } from "./boot_loader.ts";

/** A deployment that can be run in. */
export interface DeploymentRoot extends Disposable {
  /** What is /tmp in it, from here; gone with it. */
  readonly scratch: string;
  /** Runs a program of the image. @throws {ToolError} */
  run(argv: readonly [string, ...string[]]): Promise<void>;
  /** The same for what it says. @throws {ToolError} */
  capture(argv: readonly [string, ...string[]]): Promise<string>;
}

/** What is seen in the deployment. */
export interface InDeploymentOptions {
  /** /boot is the target's, without what is mounted in it. */
  readonly boot?: boolean;
}

/**
 * Mounts what tools expect into the target's deployment: /proc, /sys, /dev, an empty /tmp, and the target itself as /sysroot. Undone, in
 * order, at the end of the block, when none of the tools runs any more.
 * @throws {LibcError}
 */
export function inDeployment(
  ctx: Context,
  { root, deployment }: BootTarget,
  { boot = false }: InDeploymentOptions = {},
): DeploymentRoot {
  using mounts = new DisposableStack();
  const add = (name: string, mount: (target: string) => void) => {
    const target = `${deployment}/${name}`;
    mount(target);
    mounts.defer(() => detachMount(target));
  };
  // The first of them, so that the others are not seen in it once more.
  add("sysroot", (target) => mountDirectory(root, target));
  if (boot) add("boot", (target) => mountDirectory(`${root}/boot`, target, { recursive: false }));
  add("proc", (target) => mountVirtual("proc", target));
  add("sys", (target) => mountVirtual("sysfs", target));
  add("dev", (target) => mountDirectory("/dev", target));
  add("tmp", (target) => mountVirtual("tmpfs", target));
  const kept = mounts.move();
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  return {
    scratch: `${deployment}/tmp`,
    capture: (argv) => capture(ctx, ["chroot", deployment, ...argv], { env }),
    run: (argv) => run(ctx, ["chroot", deployment, ...argv], { env }),
    [Symbol.dispose]: () => kept.dispose(),
  };
}
