/** A disk with an image installed on it, for {@linkcode Machine}: by `bootc install to-disk` itself. */
import type { Context } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";
import { projectDirectory } from "../script.ts";

/** What is installed where. */
export interface InstallOptions {
  /** Path of the disk image, which is made or made anew. */
  readonly disk: string;
  /** Layout directory and tag: "DIR:TAG". */
  readonly image: string;
  /** What the system is to follow: a registry's image, "10.0.2.2:PORT/NAME:TAG". */
  readonly follow: string;
  /** 4096 when not given. */
  readonly sizeMiB?: number;
}

/** The command line that installs; pure. */
export function installArgv({ disk, image, follow }: InstallOptions): [string, ...string[]] {
  // deno-fmt-ignore
  return [
    Deno.execPath(), "run", "-A", "--quiet", `${projectDirectory}/main.ts`,
    "install", "to-disk", "--quiet", "--via-loopback", "--filesystem", "ext4",
    "--source-imgref", `oci:${image}`, "--target-imgref", follow,
    // What the machine shows is read from its serial console; a panic is not waited for; what guards against others costs time.
    "--karg", "console=ttyS0", "--karg", "panic=1", "--karg", "mitigations=off", disk,
  ];
}

/**
 * Makes a disk that boots by BIOS and by UEFI; needs to be root.
 * @throws {ToolError} with the end of what the installer said
 */
export async function installDisk(ctx: Context, options: InstallOptions): Promise<void> {
  const { disk, sizeMiB = 4096 } = options;
  await run(ctx, ["rm", "-f", "--", disk]);
  await run(ctx, ["truncate", "-s", `${sizeMiB}M`, "--", disk]);
  await run(ctx, installArgv(options));
}
