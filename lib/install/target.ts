/** A mounted file system that becomes a host: the empty system root, and what an image's deployment in it gets. */
import { Keyfile } from "../codec/keyfile.ts";
import type { Context } from "../sys/context.ts";
import { exists } from "../sys/exists.ts";
import { writeAll } from "../sys/libc.ts";
import { replaceFile } from "../sys/replace_file.ts";
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

/** Makes repository and directories, or takes those that an earlier attempt left beside another system. @throws {ToolError} */
export async function makeSystemRoot(ctx: Context, root: string): Promise<void> {
  // libostree writes the configuration last.
  const { ostree } = ctx.tools;
  if (!exists(`${root}/ostree/repo/config`)) await run(ctx, [ostree, "admin", "init-fs", "--modern", root]);
  // libostree reads no system root where this is a directory.
  await seedLoader(`${root}/boot`);
}

/** How libostree writes what boots. */
export interface BootSettings {
  readonly loader: BootLoader;
  /** /boot lies on the root file system. */
  readonly bootOnRoot: boolean;
  /** Kernel arguments that libostree adds to each entry but the default one's; undefined for none. */
  readonly blsAppendExceptDefault?: string | undefined;
}

/**
 * What libostree is to write for the boot loader, and what it needs to be there. For a system root that is opened afterwards. Commit point:
 * the new configuration of the repository.
 * @throws {LibcError} @throws {SyntaxError} when the repository's configuration is no key file
 */
export async function prepareBootLoader(root: string, settings: BootSettings): Promise<void> {
  const { loader, bootOnRoot, blsAppendExceptDefault } = settings;
  await loader.seed(`${root}/boot`);
  await setSysrootConfig(root, {
    readonly: "true",
    bootprefix: String(bootOnRoot),
    bootloader: loader.ostreeBackend,
    ...blsAppendExceptDefault !== undefined && { "bls-append-except-default": blsAppendExceptDefault },
  });
}

async function setSysrootConfig(root: string, values: Readonly<Record<string, string>>): Promise<void> {
  const path = `${root}/ostree/repo/config`;
  const config = Keyfile.parse(await Deno.readTextFile(path));
  for (const [key, value] of Object.entries(values)) config.set("sysroot", key, value);
  const bytes = new TextEncoder().encode(config.toString());
  await replaceFile(path, (fd) => writeAll(fd, bytes), { mode: 0o644 });
}
