/** Reading stored files: metadata and content, as libostree finds them in any mode of repository, its parents and the open transaction. */
import { UserError } from "../sys/errors.ts";
import { type Bytes, cstr } from "../sys/libc.ts";
import { checked, gio, OutPointer, type Owned, ownedObject, takeVariant, text } from "./glib.ts";
import { ostree } from "./libostree.ts";
import { checksumArgument } from "./names.ts";
import { type FileMeta, S_IFLNK, S_IFMT } from "./objects.ts";
import type { Repo } from "./repo.ts";

const NO_BYTES: Bytes = new Uint8Array(0);
const ATTRIBUTE = { uid: cstr("unix::uid"), gid: cstr("unix::gid"), mode: cstr("unix::mode") } as const;
const READ_BYTES = 128 << 10;

/** A file object that is open. */
export class FileObject implements Disposable {
  /** Of a symlink, the target without NUL; undefined for a regular file. */
  readonly target: Bytes | undefined;
  readonly meta: Readonly<FileMeta>;
  readonly #content: Owned | undefined;

  /** @throws {GlibError} with `notFound` when the repository has no such object */
  constructor(repo: Repo, checksum: string) {
    const content = new OutPointer(), info = new OutPointer(), xattrs = new OutPointer();
    checked((error) =>
      ostree().ostree_repo_load_file(
        repo.handle,
        checksumArgument(checksum),
        content.buffer,
        info.buffer,
        xattrs.buffer,
        null,
        error,
      )
    );
    this.#content = content.value === null ? undefined : ownedObject(content.value);
    const set = takeVariant(xattrs.value);
    using file = ownedObject(info.value);
    const attribute = (name: Bytes) => gio().g_file_info_get_attribute_uint32(file.pointer, name);
    const mode = attribute(ATTRIBUTE.mode);
    const symlink = (mode & S_IFMT) === S_IFLNK;
    this.target = symlink ? cstr(text(gio().g_file_info_get_symlink_target(file.pointer))).subarray(0, -1) : undefined;
    this.meta = {
      uid: attribute(ATTRIBUTE.uid),
      gid: attribute(ATTRIBUTE.gid),
      mode,
      size: symlink ? 0 : Number(gio().g_file_info_get_size(file.pointer)),
      xattrs: set.length === 0 ? undefined : set,
    };
  }

  /** Reads on in a regular file's content; 0 at its end. @throws {GlibError} */
  read(buffer: Bytes): number {
    if (!this.#content || buffer.length === 0) return 0;
    const { pointer } = this.#content;
    let got = 0;
    checked((error) => {
      got = Number(gio().g_input_stream_read(pointer, buffer, BigInt(buffer.length), null, error));
      return got < 0 ? 0 : 1;
    });
    return got;
  }

  [Symbol.dispose](): void {
    this.#content?.[Symbol.dispose]();
  }
}

/**
 * The content of a regular file object; undefined for a symlink.
 * @throws {UserError} when it is larger than `limitBytes`
 */
export function readFileObject(repo: Repo, checksum: string, limitBytes: number): Bytes | undefined {
  using file = new FileObject(repo, checksum);
  if (file.target) return undefined;
  const { size } = file.meta;
  if (size > limitBytes) {
    throw new UserError(`File object ${checksum} has ${size} bytes; at most ${limitBytes} were expected`);
  }
  const bytes = size === 0 ? NO_BYTES : new Uint8Array(size);
  for (let at = 0; at < size;) {
    const n = file.read(bytes.subarray(at, Math.min(size, at + READ_BYTES)));
    if (n === 0) throw new UserError(`File object ${checksum} is shorter than it says`, { hint: "Run ostree fsck" });
    at += n;
  }
  return bytes;
}

/** Whether an object is a regular file without content. @throws {GlibError} when it is not there */
export function isEmptyFile(repo: Repo, checksum: string): boolean {
  using file = new FileObject(repo, checksum);
  return file.target === undefined && file.meta.size === 0;
}
