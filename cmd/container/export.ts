/** `bootc container export`: an image's root as a tar archive. */
import type { CliContext } from "../../lib/cli/context.ts";
import { UsageError } from "../../lib/cli/errors.ts";
import { streamOutputFile } from "../../lib/cli/output_file.ts";
import type { CommandSpec, Positionals, Values } from "../../lib/cli/spec.ts";
import { exportTar } from "../../lib/rootfs/export_tar.ts";
import { fstat } from "../../lib/sys/libc_stat.ts";

export const spec = {
  summary: "Write an image's root as a tar archive",
  description: [
    "For installers that unpack an archive onto a disk. Owners, modes, times, extended attributes and hardlinks are kept, " +
    "and each file gets the label of the image's own SELinux policy. /tmp, /var/tmp and /sysroot/ostree are left out. " +
    "The same tree gives the same bytes.",
  ],
  positionals: [{ name: "target", complete: "directory", help: "Directory with the root, such as a mounted image" }],
  flags: {
    format: { kind: "enum", values: ["tar"], default: "tar", help: "Format of the archive" },
    output: {
      kind: "string",
      short: "o",
      metavar: "FILE",
      complete: "file",
      help: "Write to FILE instead of standard output; it appears once it is whole",
    },
    kernelInBoot: { help: "Put kernel and initramfs into /boot too" },
    disableSelinux: { help: "Give no SELinux labels" },
  },
  examples: [
    {
      command: "bootc container export --kernel-in-boot /target | zstd > os.tar.zst",
      help: "Make an archive for a kickstart's liveimg",
    },
  ],
} as const satisfies CommandSpec;

const STDOUT = 1;

export async function run(
  ctx: CliContext,
  flags: Values<typeof spec>,
  { target }: Positionals<typeof spec>,
): Promise<void> {
  const options = { label: !flags.disableSelinux, kernelInBoot: flags.kernelInBoot };
  if (flags.output === undefined) {
    if (ctx.stdoutIsTerminal) {
      throw new UsageError("Refusing to write a tar archive to a terminal", {
        hint: "Give a file with --output, or redirect standard output",
      });
    }
    const write = (bytes: Uint8Array) => ctx.stdout.writeBytes(bytes);
    return await exportTar(ctx, target, write, { ...options, archive: fstat(STDOUT).identity });
  }
  await streamOutputFile(
    flags.output,
    ({ fd, write }) => exportTar(ctx, target, write, { ...options, archive: fstat(fd).identity }),
  );
}
