/** A mounted file system that becomes a host: the empty system root, and what an image's deployment in it gets. */
import type { Context } from "../sys/context.ts";
import { isThere } from "../sys/is_there.ts";
import { run } from "../sys/run.ts";
import { UserError } from "../sys/errors.ts";
import type { BootLoader } from "./boot/boot_loader.ts";
import { seedLoader } from "./boot/seed.ts";

/** Of every file system with such a directory; it holds nothing of anybody's. */
const NO_CONTENT = new Set(["lost+found"]);

/**
 * Refuses a directory that holds anything but mount points' own empty directories.
 * @throws {UserError} naming what is there
 */
export async function requireEmpty(root: string, prefix = ""): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${prefix}`)) {
    if (NO_CONTENT.has(name)) continue;
    const path = `${prefix}${name}`;
    if (!isDirectory) throw notEmpty(path);
    const own = await Deno.lstat(`${root}/${path}`);
    const parent = await Deno.lstat(`${root}/${prefix}`);
    // What is mounted there has been made for the host as well: /boot, /var.
    if (own.dev === parent.dev) await requireOnlyMounts(root, `${path}/`, own.dev);
  }
}

/** A directory on the way to a mount point, such as /boot for /boot/efi. */
async function requireOnlyMounts(root: string, prefix: string, device: number): Promise<void> {
  let mounts = 0;
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${prefix}`)) {
    const path = `${prefix}${name}`;
    if (!isDirectory) throw notEmpty(path);
    if ((await Deno.lstat(`${root}/${path}`)).dev === device) await requireOnlyMounts(root, `${path}/`, device);
    mounts++;
  }
  if (mounts === 0) throw notEmpty(prefix.replace(/\/$/, ""));
}

function notEmpty(path: string): UserError {
  return new UserError(`Non-empty root filesystem; found "${path}"`, {
    hint: "Give an empty file system; nothing was changed",
  });
}

/** How the empty system root is made. */
export interface SystemRootOptions {
  /** /boot lies on the root file system. */
  readonly bootOnRoot: boolean;
}

/** Makes repository and directories, or takes those that an earlier attempt left beside another system. @throws {ToolError} */
export async function makeSystemRoot(ctx: Context, root: string, options: SystemRootOptions): Promise<void> {
  const { ostree } = ctx.tools;
  // libostree writes the configuration last.
  if (!await isThere(`${root}/ostree/repo/config`)) await run(ctx, [ostree, "admin", "init-fs", "--modern", root]);
  // libostree reads no system root where this is a directory.
  await seedLoader(`${root}/boot`);
  await setRepoConfig(ctx, root, { "sysroot.readonly": "true", "sysroot.bootprefix": String(options.bootOnRoot) });
}

/** What libostree is to write for the boot loader, and what it needs to be there. */
export async function prepareBootLoader(ctx: Context, root: string, loader: BootLoader): Promise<void> {
  await setRepoConfig(ctx, root, { "sysroot.bootloader": loader.ostreeBackend });
  await loader.seed(`${root}/boot`);
}

async function setRepoConfig(ctx: Context, root: string, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, value] of Object.entries(values)) {
    await run(ctx, [ctx.tools.ostree, "config", `--repo=${root}/ostree/repo`, "set", key, value]);
  }
}
