/** Root directories with Debian's packages, made by mmdebstrap. */
import type { Context } from "../../lib/sys/context.ts";
import { capture, run } from "../../lib/sys/run.ts";

/** Debian's stable release at the time of writing; its ostree and dracut are known to boot. */
export const SUITE = "trixie";

/** Debian's archive as this machine's apt reaches it; undefined where apt is not set up for Debian. */
async function debianMirror(ctx: Context): Promise<string | undefined> {
  try {
    const text = await capture(ctx, ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian"]);
    return text.split("\n").find((line) => line !== "");
  } catch {
    return undefined;
  }
}

/** Runs mmdebstrap with options of its own. @throws {ToolError} with the end of its words */
export async function mmdebstrap(
  ctx: Context,
  root: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const mirror = await debianMirror(ctx);
  // deno-fmt-ignore
  await run(ctx, [
    "mmdebstrap", "--quiet", "--components=main", ...words, SUITE, root, ...(mirror === undefined ? [] : [mirror]),
  ], { env });
}

/** Makes a Debian root with a kernel; needs to be root. @throws {ToolError} with the end of mmdebstrap's words */
export async function makeRoot(ctx: Context, root: string, packages: readonly string[]): Promise<void> {
  const kernel = `linux-image-cloud-${Deno.build.arch === "aarch64" ? "arm64" : "amd64"}`;
  // deno-fmt-ignore
  const words = [
    "--variant=minbase",
    `--include=${[kernel, ...packages].join(",")}`,
    `--aptopt=APT::Install-Recommends "false"`,
    `--aptopt=Acquire::Check-Valid-Until "false"`,
    "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
  ];
  // The kernel's package need not make an initramfs: contrib/debian-image.sh makes the one that can find an ostree root.
  await mmdebstrap(ctx, root, words, { INITRD: "No" });
}

/** Unpacks packages and what they depend on, and runs none of their scripts: a root for programs, without a system in it. */
export async function extractRoot(
  ctx: Context,
  root: string,
  packages: readonly string[],
  architecture?: string,
): Promise<void> {
  const arch = architecture === undefined ? [] : [`--architectures=${architecture}`];
  await mmdebstrap(ctx, root, [
    "--skip=output/mknod",
    "--variant=extract",
    ...arch,
    `--include=${packages.join(",")}`,
  ]);
}
