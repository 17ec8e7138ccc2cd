/** What is left of a system that another one was installed beside: its boot files, and later the rest. */
import type { Context } from "../sys/context.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { UserError } from "../sys/errors.ts";
import {
  AT_FDCWD,
  cstr,
  existsAt,
  fsync,
  type LibcError,
  mkdirat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  openDirectoryAt,
  syncfs,
  unlinkat,
} from "../sys/libc.ts";
import { fstat, lstatAt, readLinkAt } from "../sys/libc_stat.ts";
import { removeBelow } from "../sys/remove_tree.ts";
import { replaceFileAt } from "../sys/replace_file.ts";
import { run } from "../sys/run.ts";

/** Below the physical root: the first boot is to remove the old system. Source: formats.md 3.8. */
const STAMP_NAME = "bootc-destructive-cleanup";

/** What belongs to the new system, in the physical root. */
const NEW_IN_ROOT = new Set(["ostree", "boot", ".bootc-aleph.json", "lost+found"]);

/** Firmware starts these by themselves: other systems beside both. */
const OTHER_SYSTEMS = new Set(["microsoft", "apple"]);

const AT_REMOVEDIR = 0x200;

/** @throws {LibcError} */
function openRoot(path: string): Descriptor {
  return new Descriptor(openat(AT_FDCWD, cstr(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
}

/** Collects what could not be removed. */
class Failures {
  readonly #lines: string[] = [];

  readonly add = (path: string, error: LibcError): void => {
    this.#lines.push(`${path}: ${error.message}`);
  };

  /** @throws {UserError} where there is one */
  check(where: string, hint: string): void {
    const [first] = this.#lines;
    if (first === undefined) return;
    const more = this.#lines.length - 1;
    throw new UserError(`Cannot remove ${first}${more > 0 ? ` (and ${more} more)` : ""}, below "${where}"`, { hint });
  }
}

/** Where the new system's boot files are, from /boot. */
export interface NewBoot {
  /** The directory that has its GRUB: a name in /boot. */
  readonly grub: string;
  /** The EFI system partition that its loader was written to, where that is mounted. */
  readonly esp: string | undefined;
}

/**
 * Removes the old system's kernels, entries and loaders from /boot, and its loaders from the EFI system partition; those of Windows and macOS
 * stay. Only once the new loader is in place. A power cut leaves files that nothing reads.
 * @throws {UserError} naming what could not be removed
 */
export async function removeOldBoot(ctx: Context, root: string, { grub, esp }: NewBoot): Promise<void> {
  const failures = new Failures();
  using boot = openRoot(`${root}/boot`);
  const loader = new TextDecoder().decode(readLinkAt(boot.fd, cstr("loader")) ?? new Uint8Array(0));
  const kept = new Set(["ostree", "loader", loader, grub, "syslinux", "lost+found"]);
  await removeBelow(boot.fd, { keep: (name) => kept.has(name), signal: ctx.signal, failed: failures.add });
  await syncfs(boot.fd);
  if (esp !== undefined) {
    using efi = openRoot(`${esp}/EFI`);
    const other = (name: string) => OTHER_SYSTEMS.has(name.toLowerCase()) || name.toLowerCase() === "boot";
    await removeBelow(efi.fd, { keep: other, signal: ctx.signal, failed: failures.add });
    using own = new Descriptor(openDirectoryAt(efi.fd, "BOOT"));
    // A shim beside the loader would start one that is gone.
    const loader = (name: string) => name.toLowerCase() === "bootx64.efi";
    await removeBelow(own.fd, { keep: loader, signal: ctx.signal, failed: failures.add });
    await syncfs(efi.fd);
  }
  failures.check(`${root}/boot`, "The new system boots all the same; remove it by hand");
}

/** Leaves word for the first boot. Commit point: the stamp's rename. @throws {LibcError} */
export async function leaveCleanUp(root: string): Promise<void> {
  using physical = openRoot(root);
  mkdirat(physical.fd, cstr("etc"), 0o755);
  using etc = new Descriptor(openDirectoryAt(physical.fd, "etc"));
  await replaceFileAt(etc.fd, STAMP_NAME, () => {}, { mode: 0o644 });
}

/** Whether the first boot has work to do. @throws {LibcError} */
export function awaitsCleanUp(root: string): boolean {
  using physical = openRoot(root);
  if (lstatAt(physical.fd, cstr("etc"))?.type !== "directory") return false;
  using etc = new Descriptor(openDirectoryAt(physical.fd, "etc"));
  return existsAt(etc.fd, cstr(STAMP_NAME));
}

/** Lets this mount namespace write to what a running host mounts read-only. @throws {ToolError} */
export async function makeWritable(ctx: Context, root: string): Promise<void> {
  await run(ctx, ["mount", "-o", "remount,bind,rw", "--", root]);
}

/**
 * Removes all of a physical root but the ostree system in it: every file of the system that was there, /home and all. Mount points stay. The
 * word that was left for this goes last, so that what a power cut leaves is removed at the next boot.
 * @throws {UserError} when the directory has no ostree system, is the running root itself, or something could not be removed
 */
export async function removeOldRoot(ctx: Context, root: string): Promise<void> {
  using physical = openRoot(root);
  using running = openRoot("/");
  if (!existsAt(physical.fd, cstr("ostree/repo/config")) || !existsAt(physical.fd, cstr("ostree/deploy"))) {
    throw new UserError(`Cannot remove an old system from "${root}": there is no ostree system in it`);
  }
  if (fstat(physical.fd).identity === fstat(running.fd).identity) {
    throw new UserError(`Cannot remove an old system from "${root}": it is the root that runs`);
  }
  const failures = new Failures();
  const options = { signal: ctx.signal, failed: failures.add };
  const hasEtc = lstatAt(physical.fd, cstr("etc"))?.type === "directory";
  await removeBelow(physical.fd, { ...options, keep: (name) => NEW_IN_ROOT.has(name) || (hasEtc && name === "etc") });
  const hint = `Remove it by hand, or give it up: rm ${root}/etc/${STAMP_NAME}`;
  if (hasEtc) {
    using etc = new Descriptor(openDirectoryAt(physical.fd, "etc"));
    await removeBelow(etc.fd, { ...options, keep: (name) => name === STAMP_NAME });
    failures.check(root, hint);
    await syncfs(physical.fd);
    unlinkat(etc.fd, cstr(STAMP_NAME));
  }
  failures.check(root, hint);
  if (hasEtc) unlinkat(physical.fd, cstr("etc"), AT_REMOVEDIR);
  await fsync(physical.fd);
}
