/** `bootc container split-kernel-and-rootfs`: kernel and initramfs out of an image's root. */
import type { CliContext } from "../../lib/cli/context.ts";
import type { CommandSpec, Values } from "../../lib/cli/spec.ts";
import { splitKernel } from "../../lib/rootfs/split_kernel.ts";

export const spec = {
  summary: "Move kernel and initramfs out of an image's root",
  description: [
    "For builds that make a boot image of them. They are then in VERSION/vmlinuz and VERSION/initramfs.img of the output " +
    "directory, and no longer in the root.",
  ],
  positionals: [],
  flags: {
    rootfs: {
      kind: "string",
      metavar: "DIR",
      default: "/",
      complete: "directory",
      help: "Root to take them from",
    },
    output: {
      kind: "string",
      metavar: "DIR",
      required: true,
      complete: "directory",
      help: "Directory to put them into; it is made, or must be empty",
    },
  },
  examples: [
    {
      command: "bootc container split-kernel-and-rootfs --rootfs /target --output /out",
      help: "Leave the root without a kernel, and have it in /out",
    },
  ],
} as const satisfies CommandSpec;

export async function run(ctx: CliContext, flags: Values<typeof spec>): Promise<void> {
  const { version, directory } = await splitKernel(flags.rootfs, flags.output);
  ctx.note(`Moved kernel ${version} to ${directory}`);
}
