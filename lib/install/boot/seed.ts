/** What libostree wants to find in /boot before its first deployment there, also where another system keeps boot entries of its own. */
import { Descriptor } from "../../sys/descriptor.ts";
import { UserError } from "../../sys/errors.ts";
import {
  AT_FDCWD,
  type Bytes,
  cstr,
  eachName,
  exchangeAt,
  linkat,
  mkdirat,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  openDirectoryAt,
  renameat,
  symlinkat,
  syncfs,
  unlinkat,
  writeAll,
} from "../../sys/libc.ts";
import { lstatAt, readLinkAt } from "../../sys/libc_stat.ts";
import { removeBelow } from "../../sys/remove_tree.ts";
import { replaceFileAt } from "../../sys/replace_file.ts";

const LOADER = cstr("loader");
/** The one of libostree's two that its next deployment does not write. */
const OLD = "loader.1";
const ASIDE = cstr(".bootc-loader");
const AT_REMOVEDIR = 0x200;
const SYSLINUX = "syslinux.cfg";
const SYSLINUX_LINK = "../loader/syslinux.cfg";

/** @throws {LibcError} */
function openBoot(path: string): Descriptor {
  return new Descriptor(openat(AT_FDCWD, cstr(path), O_RDONLY | O_DIRECTORY));
}

/**
 * Makes a directory /boot/loader of another system, with its entries, one of libostree's pair behind a link: the loader that reads them finds
 * them at every moment, until libostree swaps the link. Commit point: the exchange of directory and link. Nothing where there is no such
 * directory.
 * @throws {LibcError} @throws {UserError} when the file system cannot exchange names, and when there is something else
 */
export async function seedLoader(bootDirectory: string): Promise<void> {
  using boot = openBoot(bootDirectory);
  const type = lstatAt(boot.fd, LOADER)?.type;
  if (type === undefined || type === "symlink") return;
  if (type !== "directory") throw new UserError(`Cannot install beside "${bootDirectory}/loader", a ${type}`);
  await removeAll(boot.fd, OLD);
  linkTree(boot.fd, "loader", boot.fd, OLD);
  unlinkat(boot.fd, ASIDE);
  symlinkat(cstr(OLD), boot.fd, ASIDE);
  await syncfs(boot.fd);
  if (!exchangeAt(boot.fd, LOADER, boot.fd, ASIDE)) {
    unlinkat(boot.fd, ASIDE);
    throw new UserError(`Cannot replace "${bootDirectory}/loader" at once: the file system cannot exchange names`, {
      hint: "Move its entries away, or use another file system for /boot",
    });
  }
  await syncfs(boot.fd);
  await removeAll(boot.fd, ".bootc-loader");
}

/** Second names for all files of a directory. */
function linkTree(from: number, name: string, to: number, newName: string): void {
  mkdirat(to, cstr(newName), 0o755);
  using source = new Descriptor(openDirectoryAt(from, name));
  using target = new Descriptor(openDirectoryAt(to, newName));
  const names: Bytes[] = [];
  eachName(source.fd, (bytes, start, end) => names.push(bytes.slice(start, end + 1)));
  for (const each of names) {
    const text = new TextDecoder().decode(each.subarray(0, -1));
    if (lstatAt(source.fd, each)?.type === "directory") linkTree(source.fd, text, target.fd, text);
    else linkat(source.fd, each, target.fd, each);
  }
}

async function removeAll(parent: number, name: string): Promise<void> {
  if (lstatAt(parent, cstr(name))?.type !== "directory") return;
  {
    using directory = new Descriptor(openDirectoryAt(parent, name));
    const failed = (_path: string, error: Error) => {
      throw error;
    };
    await removeBelow(directory.fd, { signal: new AbortController().signal, failed });
  }
  unlinkat(parent, cstr(name), AT_REMOVEDIR);
}

/**
 * Makes what libostree's backend for syslinux looks for: `syslinux/syslinux.cfg`, a link, and an old configuration behind it whose first
 * lines it keeps. What is there already from an earlier attempt is left alone.
 * @throws {LibcError} @throws {UserError} when another system has such a file
 */
export async function seedSyslinux(bootDirectory: string, text: string): Promise<void> {
  using boot = openBoot(bootDirectory);
  if (lstatAt(boot.fd, LOADER) === undefined) {
    mkdirat(boot.fd, cstr("loader.0"), 0o755);
    symlinkat(cstr("loader.0"), boot.fd, ASIDE);
    renameat(boot.fd, ASIDE, boot.fd, LOADER);
  }
  const target = new TextDecoder().decode(readLinkAt(boot.fd, LOADER));
  using loader = new Descriptor(openDirectoryAt(boot.fd, target));
  const write = (fd: number) => writeAll(fd, new TextEncoder().encode(text));
  if (lstatAt(loader.fd, cstr(SYSLINUX)) === undefined) {
    await replaceFileAt(loader.fd, SYSLINUX, write, { mode: 0o644 });
  }
  mkdirat(boot.fd, cstr("syslinux"), 0o755);
  using syslinux = new Descriptor(openDirectoryAt(boot.fd, "syslinux"));
  if (lstatAt(syslinux.fd, cstr(SYSLINUX)) === undefined) {
    symlinkat(cstr(SYSLINUX_LINK), syslinux.fd, cstr(SYSLINUX));
    return;
  }
  const link = new TextDecoder().decode(readLinkAt(syslinux.fd, cstr(SYSLINUX)) ?? new Uint8Array(0));
  if (link === SYSLINUX_LINK) return;
  throw new UserError(`Cannot install beside a system that syslinux boots: "${bootDirectory}/syslinux/${SYSLINUX}"`, {
    hint: "Move it away, if nothing reads it any more",
  });
}
