/** A root as a tar archive, for installers that unpack one (Anaconda's `liveimg`). */
import { type TarHeader, type TarType, xattrKeyword } from "../codec/tar_write.ts";
import { fromBinaryString } from "../ostree/objects.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import type { FileStat, FileType } from "../sys/libc_stat.ts";
import { Pace } from "../sys/pace.ts";
import { addBootFiles, type BootArchive, bootFilesOf } from "./boot_files.ts";
import { entriesBelow, gone, type OpenFile, openFile, quoted, reading, type TreeEntry, xattrsOf } from "./entries.ts";
import { Labels } from "./labels.ts";
import { Root } from "./root.ts";
import { TarOutput, type WriteBytes } from "./tar_output.ts";

/** How a root is exported. */
export interface ExportOptions {
  /** Give the labels of the root's own SELinux policy, where it has one. */
  readonly label: boolean;
  /** Add kernel and initramfs to /boot, and the directory /boot/grub2. */
  readonly kernelInBoot: boolean;
  /** {@linkcode FileStat} identity of a file that is left out: the archive itself. */
  readonly archive: string;
}

/** Of ostree's own state, and of what only the running system puts there; the directories are left out too, as the reference does. */
const LEFT_OUT = new Set(["sysroot/ostree", "tmp", "var/tmp"]);

const SELINUX = "security.selinux";

const TAR_TYPES: Readonly<Partial<Record<FileType, TarType>>> = {
  "file": "file",
  "directory": "directory",
  "symlink": "symlink",
  "character device": "characterDevice",
  "block device": "blockDevice",
  "fifo": "fifo",
};

/**
 * Writes the archive of the root in a directory: GNU headers, xattrs as `SCHILY.xattr` records, whole seconds, no names of users. The same
 * tree gives the same bytes. A file's own security.selinux is that of the machine where the root is unpacked, and never exported. Sockets
 * are left out with a note; of a directory on which something is mounted only the directory itself is taken.
 * @throws {UserError} where a name cannot be read or changes meanwhile; the archive is not whole then @throws {Interrupted}
 */
export async function exportTar(ctx: Context, path: string, write: WriteBytes, options: ExportOptions): Promise<void> {
  using root = Root.open(path);
  using top = root.open("")!;
  using labels = options.label ? await Labels.load(top) : undefined;
  const boot = options.kernelInBoot ? await bootFilesOf(root) : undefined;
  const leaveOut = (path: string) => LEFT_OUT.has(path) || (boot?.files.has(path) ?? false);
  const archive = new Archive(ctx, new TarOutput(write), { labels, own: options.archive });
  for (const entry of entriesBelow(top, leaveOut)) await archive.add(entry);
  if (boot) await addBootFiles(archive, root, boot);
  archive.end();
}

type Xattrs = NonNullable<TarHeader["xattrs"]>;

class Archive implements BootArchive {
  readonly #ctx: Context;
  readonly #output: TarOutput;
  readonly #labels: Labels | undefined;
  /** Identity of the archive itself. */
  readonly #own: string;
  /** The first name of each file that has several, by identity. */
  readonly #firstNames = new Map<string, string>();
  readonly #pace: Pace;

  constructor(ctx: Context, output: TarOutput, options: { labels: Labels | undefined; own: string }) {
    this.#ctx = ctx;
    this.#pace = new Pace(ctx.signal);
    this.#output = output;
    this.#labels = options.labels;
    this.#own = options.own;
  }

  async add(entry: TreeEntry): Promise<void> {
    const { path, name, directory, stat } = entry;
    await this.#pace.step();
    if (stat.identity === this.#own) return;
    if (stat.type === "file") {
      if (this.#addHardlink(path, stat)) return;
      using file = openFile(directory, name, path);
      return await this.addFile(path, file, this.#xattrs(entry));
    }
    const type = TAR_TYPES[stat.type];
    if (type === undefined) {
      return this.#ctx.note(`Left out ${quoted(path)}: a tar archive cannot hold a ${stat.type}`);
    }
    const target = type === "symlink" ? reading(path, () => directory.readLink(name)) ?? gone(path) : undefined;
    this.#output.header({
      ...headerOf(type === "directory" ? `${path}/` : path, type, stat),
      xattrs: this.#xattrs(entry),
      ...(target === undefined ? {} : { link: fromBinaryString(target) }),
      ...(type === "characterDevice" || type === "blockDevice" ? { device: stat.node } : {}),
    });
  }

  async addFile(path: string, { fd, stat }: OpenFile, xattrs: Xattrs): Promise<void> {
    this.#output.header({ ...headerOf(path, "file", stat), size: stat.sizeBytes, xattrs });
    for (let left = stat.sizeBytes; left > 0;) {
      const length = reading(path, () => this.#output.bodyFrom(fd, left));
      if (length === 0) throw new UserError(`Cannot export ${quoted(path)}: it became shorter meanwhile`);
      left -= length;
      await this.#pace.step();
    }
    this.#output.padding(stat.sizeBytes);
  }

  addDirectory(path: string): void {
    const stat = { mode: 0o755, typeAndMode: 0o040755, uid: 0, gid: 0, mtimeSeconds: 0 };
    this.#output.header({ ...headerOf(`${path}/`, "directory", stat), xattrs: this.labelOf(path, stat) });
  }

  labelOf(path: string, stat: Pick<FileStat, "typeAndMode">): Xattrs {
    const label = this.#labels?.of(path, stat);
    return label === undefined ? [] : [[SELINUX, label]];
  }

  end(): void {
    this.#output.end();
  }

  /** Adds a further name of a file that the archive has already, whose first name carries the attributes; false where it has not. */
  #addHardlink(path: string, stat: FileStat): boolean {
    if (stat.links < 2) return false;
    const first = this.#firstNames.get(stat.identity);
    if (first === undefined) {
      this.#firstNames.set(stat.identity, path);
      return false;
    }
    this.#output.header({ ...headerOf(path, "hardlink", stat), link: fromBinaryString(first) });
    return true;
  }

  #xattrs(entry: TreeEntry): Xattrs {
    const own = xattrsOf(entry).filter(({ key }) => key !== SELINUX);
    const label = this.labelOf(entry.path, entry.stat).map(([, value]) => ({ key: SELINUX, value }));
    return [...own, ...label].sort((one, other) => one.key < other.key ? -1 : 1)
      .map(({ key, value }) => [xattrKeyword(fromBinaryString(key)), value]);
  }
}

function headerOf(
  path: string,
  type: TarType,
  { mode, uid, gid, mtimeSeconds }: Pick<FileStat, "mode" | "uid" | "gid" | "mtimeSeconds">,
): TarHeader {
  // Only base-256 could say a time before 1970, and not every reader knows it.
  return { name: fromBinaryString(path), type, mode, uid, gid, mtime: Math.max(0, mtimeSeconds) };
}
