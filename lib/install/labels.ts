/** SELinux labels of what an installation writes, by the image's own policy: the first boot must not find files without. */
import { SELINUX_XATTR } from "../ostree/relabel.ts";
import { Repo } from "../ostree/repo.ts";
import { SePolicy } from "../ostree/sepolicy.ts";
import type { Context } from "../sys/context.ts";
import { Descriptor } from "../sys/descriptor.ts";
import {
  AT_FDCWD,
  type Bytes,
  cstr,
  eachName,
  fsetxattr,
  LibcError,
  lsetxattr,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
} from "../sys/libc.ts";
import { fstat, lstatAt } from "../sys/libc_stat.ts";
import type { AlephSelinux } from "./aleph.ts";

const XATTR = cstr(SELINUX_XATTR);
/** There where the kernel that installs has loaded a policy. */
const SELINUX_FS = "/sys/fs/selinux/enforce";

/** What the host will have of SELinux, which the aleph tells too. @throws {GlibError} when the image's policy is broken */
export async function selinuxState(
  repo: Repo,
  commit: string,
  { disableSelinux = false }: { disableSelinux?: boolean },
): Promise<AlephSelinux> {
  {
    using policy = SePolicy.fromCommit(repo, commit);
    if (!policy) return "disabled";
  }
  if (disableSelinux) return "force-target-disabled";
  return await Deno.stat(SELINUX_FS).then(() => "enabled", () => "host-disabled");
}

/** Whose policy. */
export interface LabelsRequest {
  /** The physical root, with the repository. */
  readonly root: string;
  readonly commit: string;
  readonly selinux: AlephSelinux;
}

/** The labels of an image's policy; none where it has no policy, or is not to use it. */
export class Labels implements Disposable {
  #warned = false;

  private constructor(
    readonly ctx: Context,
    readonly policy: SePolicy | undefined,
    readonly selinux: AlephSelinux,
  ) {}

  /** @throws {GlibError} when the policy is broken */
  static open(ctx: Context, { root, commit, selinux }: LabelsRequest): Labels {
    if (selinux === "disabled" || selinux === "force-target-disabled") return new Labels(ctx, undefined, selinux);
    using repo = Repo.open(`${root}/ostree/repo`);
    return new Labels(ctx, SePolicy.fromCommit(repo, commit), selinux);
  }

  /** Labels what is open as what it will be on the host, by its absolute path. A kernel that refuses is noted, once. */
  set(fd: number, path: string): void {
    this.#set(cstr(path), fstat(fd).typeAndMode, (label) => fsetxattr(fd, XATTR, label));
  }

  /** Labels a directory of the physical root and all in it, across no mount and through no link; nothing where there is no such directory. */
  setBelow(root: string, name: string): void {
    if (!this.policy) return;
    const enter = (parent: number, path: string) => {
      const base = cstr(path.slice(path.lastIndexOf("/") + 1));
      using directory = new Descriptor(openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      const own = fstat(directory.fd);
      this.set(directory.fd, path);
      const names: string[] = [];
      eachName(directory.fd, (bytes, start, end) => {
        names.push(new TextDecoder().decode(bytes.subarray(start, end)));
      });
      for (const each of names) {
        const found = lstatAt(directory.fd, cstr(each));
        if (!found || found.isMountPoint || found.device !== own.device) continue;
        if (found.type === "directory") enter(directory.fd, `${path}/${each}`);
        else {
          const at = cstr(`/proc/self/fd/${directory.fd}/${each}`);
          this.#set(cstr(`${path}/${each}`), found.typeAndMode, (label) => lsetxattr(at, XATTR, label));
        }
      }
    };
    using physical = new Descriptor(openat(AT_FDCWD, cstr(root), O_RDONLY | O_DIRECTORY));
    if (lstatAt(physical.fd, cstr(name))?.type === "directory") enter(physical.fd, `/${name}`);
  }

  #set(path: Bytes, typeAndMode: number, write: (label: Bytes) => void): void {
    const label = this.policy?.labelOf(path, typeAndMode);
    if (label === undefined) return;
    try {
      write(cstr(label));
    } catch (error) {
      if (!(error instanceof LibcError)) throw error;
      if (!this.#warned) this.ctx.note(`warning: Cannot give files the SELinux labels of the image: ${error.message}`);
      this.#warned = true;
    }
  }

  [Symbol.dispose](): void {
    this.policy?.[Symbol.dispose]();
  }
}
