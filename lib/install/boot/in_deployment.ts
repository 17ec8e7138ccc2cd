/** Running the image's own tools on the target: in its deployment, as a container would. */
import type { Context } from "../../sys/context.ts";
import { detachMount, mountTree, mountVirtual } from "../../sys/libc_mount.ts";
import { run } from "../../sys/run.ts";
import type { BootTarget } from "./boot_loader.ts";

/** A deployment that can be run in. */
export interface DeploymentRoot extends Disposable {
  /** What is /tmp in it, from here; gone with it. */
  readonly scratch: string;
  /** Runs a program of the image. @throws {ToolError} */
  run(argv: readonly [string, ...string[]]): Promise<void>;
}

/**
 * Mounts what tools expect into the target's deployment: /proc, /sys, /dev, an empty /tmp, and the target itself as /sysroot. Undone, in
 * order, at the end of the block, when none of the tools runs any more.
 * @throws {LibcError}
 */
export function inDeployment(ctx: Context, { root, deployment }: BootTarget): DeploymentRoot {
  using mounts = new DisposableStack();
  const add = (name: string, mount: (target: string) => void) => {
    const target = `${deployment}/${name}`;
    mount(target);
    mounts.defer(() => detachMount(target));
  };
  // The first of them, so that the others are not seen in it once more.
  add("sysroot", (target) => mountTree(root, target));
  add("proc", (target) => mountVirtual("proc", target));
  add("sys", (target) => mountVirtual("sysfs", target));
  add("dev", (target) => mountTree("/dev", target));
  add("tmp", (target) => mountVirtual("tmpfs", target));
  const kept = mounts.move();
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  return {
    scratch: `${deployment}/tmp`,
    run: (argv) => run(ctx, ["chroot", deployment, ...argv], { env }),
    [Symbol.dispose]: () => kept.dispose(),
  };
}
