/** The SELinux labels that a root's own policy gives. */
import { fromBinaryString } from "../ostree/objects.ts";
import type { SePolicy } from "../ostree/sepolicy.ts";
import { UserError } from "../sys/errors.ts";
import type { Bytes } from "../sys/libc.ts";
import type { FileStat } from "../sys/libc_stat.ts";
import { entriesBelow, quoted } from "./entries.ts";
import type { Directory } from "./root.ts";

const encoder = new TextEncoder();

/** A policy that is loaded. */
export class Labels implements Disposable {
  readonly #policy: SePolicy;

  private constructor(policy: SePolicy) {
    this.#policy = policy;
  }

  /**
   * The policy of a root; undefined where it has none, or has it disabled. libostree is loaded only where there is one.
   * @throws {UserError} where its files could lead the reader elsewhere, or are broken
   */
  static async load(root: Directory): Promise<Labels | undefined> {
    if (!hasPolicy(root)) return undefined;
    const [{ SePolicy }, { GlibError }] = await Promise.all([
      import("../ostree/sepolicy.ts"),
      import("../ostree/glib.ts"),
    ]);
    try {
      const policy = SePolicy.fromDirectory(`/proc/self/fd/${root.fd}`);
      return policy && new Labels(policy);
    } catch (cause) {
      if (!(cause instanceof GlibError)) throw cause;
      throw new UserError("Cannot read the SELinux policy of the root", { cause });
    }
  }

  /** The label of a path (a binary string without a leading slash); undefined where the policy has none for it. @throws {GlibError} */
  of(path: string, { typeAndMode }: Pick<FileStat, "typeAndMode">): Bytes | undefined {
    const label = this.#policy.labelOf(fromBinaryString(`/${path}\0`), typeAndMode);
    return label === undefined ? undefined : encoder.encode(label);
  }

  [Symbol.dispose](): void {
    this.#policy[Symbol.dispose]();
  }
}

/** Where libostree looks. It and libselinux follow links out of the root and wait for ever at a FIFO, so that both are refused. */
const DIRECTORIES = [["etc", "selinux"], ["usr", "etc", "selinux"]];

function hasPolicy(root: Directory): boolean {
  return DIRECTORIES.some((names) => {
    using opened = new DisposableStack();
    let directory = root;
    for (const [depth, name] of names.entries()) {
      const stat = directory.lstat(name);
      if (stat === undefined) return false;
      requirePlain(names.slice(0, depth + 1).join("/"), stat);
      const below = directory.open(name);
      if (below === undefined) return false;
      directory = opened.use(below);
    }
    for (const { path, stat } of entriesBelow(directory, () => false, `${names.join("/")}/`)) requirePlain(path, stat);
    return directory.lstat("config") !== undefined;
  });
}

function requirePlain(path: string, { type }: FileStat): void {
  if (type === "file" || type === "directory") return;
  throw new UserError(`Cannot read the SELinux policy: ${quoted(path)} is a ${type}`, {
    hint: "Make it a file in the image, or export without labels",
  });
}
