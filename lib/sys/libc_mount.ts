/** Mounts: the part of libc for those that a program makes and undoes by itself, many in a row. */
import { c, cstr, fail } from "./libc_table.ts";

const MS_BIND = 0x1000, MS_REC = 0x4000, MS_SLAVE = 0x80000;
const MNT_DETACH = 2;

/** Mounts a new file system of a kind that has no device, such as `proc`. @throws {LibcError} */
export function mountVirtual(type: string, target: string): void {
  if (c.mount(cstr(type), cstr(target), cstr(type), 0n, null) < 0) fail(`mount ${type} at "${target}"`);
}

/** Which mounts go along. */
export interface MountDirectoryOptions {
  /** False: what is mounted in the directory is not seen at the other place. */
  readonly recursive?: boolean;
}

/** Mounts a directory, with all that is mounted in it, at another place too; mounts there do not show here. @throws {LibcError} */
export function mountDirectory(
  source: string,
  target: string,
  { recursive = true }: MountDirectoryOptions = {},
): void {
  const flags = recursive ? MS_BIND | MS_REC : MS_BIND;
  if (c.mount(cstr(source), cstr(target), null, BigInt(flags), null) < 0) fail(`mount at "${target}"`);
  if (c.mount(null, cstr(target), null, BigInt(MS_SLAVE | MS_REC), null) < 0) fail(`mount at "${target}"`);
}

/** Takes a mount and those on it out of sight; they end when nobody uses them any more. @throws {LibcError} */
export function detachMount(target: string): void {
  if (c.umount2(cstr(target), MNT_DETACH) < 0) fail(`umount "${target}"`);
}
