/** The SELinux policy that a tree brings along: which label a path of it must have. The host's own policy plays no part. */
import { AT_FDCWD, type Bytes, close, cstr, O_DIRECTORY, O_RDONLY, openat } from "../sys/libc.ts";
import { checked, given, type Handle, OutPointer, type Owned, ownedObject, takeText, text } from "./glib.ts";
import { ostree } from "./libostree.ts";
import { checksumArgument } from "./names.ts";
import type { Repo } from "./repo.ts";

/** A policy that is loaded. libselinux reads one at a time: do not load two at once on two threads. */
export class SePolicy implements Disposable {
  readonly #policy: Owned;

  private constructor(policy: Owned) {
    this.#policy = policy;
  }

  /**
   * The policy below `usr/etc/selinux` of a commit, checked out into a temporary directory for as long as it is loaded; undefined where the
   * commit has none, or has it disabled.
   * @throws {GlibError} also when the policy's files are broken
   */
  static fromCommit(repo: Repo, commit: string): SePolicy | undefined {
    const name = checksumArgument(commit);
    return SePolicy.#from((error) => ostree().ostree_sepolicy_new_from_commit(repo.handle, name, null, error));
  }

  /**
   * The policy below `etc/selinux` (or `usr/etc/selinux`) of a directory, such as a deployment's; undefined where there is none.
   * @throws {GlibError} @throws {LibcError}
   */
  static fromDirectory(path: string): SePolicy | undefined {
    const directory = openat(AT_FDCWD, cstr(path), O_RDONLY | O_DIRECTORY);
    try {
      // The files are read at once; the descriptor is not kept.
      return SePolicy.#from((error) => ostree().ostree_sepolicy_new_at(directory, null, error));
    } finally {
      close(directory);
    }
  }

  static #from(load: (error: BigUint64Array<ArrayBuffer>) => Handle | null): SePolicy | undefined {
    const policy = ownedObject(given(load));
    if (text(ostree().ostree_sepolicy_get_name(policy.pointer)) !== "") return new SePolicy(policy);
    policy[Symbol.dispose]();
    return undefined;
  }

  /** Such as "targeted". */
  get name(): string {
    return text(ostree().ostree_sepolicy_get_name(this.#policy.pointer));
  }

  /** SHA-256 of the binary policy. */
  get checksum(): string {
    return text(ostree().ostree_sepolicy_get_csum(this.#policy.pointer));
  }

  /**
   * The label of an absolute path as the running system will see it (`/etc`, not `/usr/etc`); undefined where the policy leaves it without.
   * The mode's file type counts.
   * @throws {GlibError}
   */
  label(path: string, mode: number): string | undefined {
    return this.labelOf(cstr(path), mode);
  }

  /** Like {@linkcode label}, for a path of any bytes, NUL-terminated. @throws {GlibError} */
  labelOf(path: Bytes, mode: number): string | undefined {
    const out = new OutPointer();
    checked((error) => ostree().ostree_sepolicy_get_label(this.#policy.pointer, path, mode, out.buffer, null, error));
    return takeText(out.value);
  }

  [Symbol.dispose](): void {
    this.#policy[Symbol.dispose]();
  }
}
