/** Running the image's own tools on the target: in its deployment, as a container would. */
import type { Context } from "../../sys/context.ts";
import { mount } from "../../sys/mounts.ts";
import { run } from "../../sys/run.ts";
import type { BootTarget } from "./boot_loader.ts";

/** A deployment that can be run in. */
export interface DeploymentRoot extends AsyncDisposable {
  /** What is /tmp in it, from here; gone with it. */
  readonly scratch: string;
  /** Runs a program of the image. @throws {ToolError} */
  run(argv: readonly [string, ...string[]]): Promise<void>;
}

/**
 * Mounts what tools expect into the target's deployment: /proc, /sys, /dev, an empty /tmp, and the target itself as /sysroot. Undone, in
 * order, at the end of the block.
 * @throws {ToolError}
 */
export async function inDeployment(ctx: Context, { root, deployment }: BootTarget): Promise<DeploymentRoot> {
  await using mounts = new AsyncDisposableStack();
  const add = async (source: string, name: string, ...words: string[]) => {
    mounts.use(await mount(ctx, source, `${deployment}/${name}`, { words }));
  };
  await add("proc", "proc", "-t", "proc");
  await add("sysfs", "sys", "-t", "sysfs");
  await add("/dev", "dev", "--rbind", "--make-rslave");
  await add("tmpfs", "tmp", "-t", "tmpfs");
  await add(root, "sysroot", "--rbind", "--make-rslave");
  const kept = mounts.move();
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  return {
    scratch: `${deployment}/tmp`,
    run: (argv) => run(ctx, ["chroot", deployment, ...argv], { env }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
