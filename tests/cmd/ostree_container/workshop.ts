/** What the tests of `ostree container` share: repositories and images in one directory, and the program called by its other name. */
import "../../libraries.ts";
import { Repo } from "../../../lib/ostree/repo.ts";
import { containersHome } from "../../registry.ts";
import { ostreeInit, ostreeText } from "../../ostree_cli.ts";
import { makeOsCommit, type OsCommit, sysrootDirectory } from "../../sysroot.ts";
import { nativeImage, type NativeImageSource, type WrittenImage } from "../../image.ts";
import { bootcWith, type Outcome } from "../bootc.ts";

/** A directory to work in, gone at the end of the block. */
export interface Workshop extends AsyncDisposable {
  readonly path: string;
  /** `HOME` with a signature policy that accepts everything. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `ostree container WORDS...`. */
  run(...words: string[]): Promise<Outcome>;
  /** Makes an empty repository that does not wait for the disk. */
  repo(name: string, mode?: string): Promise<string>;
  /** Commits a tree to the repository that images are made of. */
  commit(commit?: OsCommit): Promise<string>;
  /** Makes an ostree-native image of a commit, "os" when not given; gives it with its reference, `oci:DIR`. */
  image(name: string, source?: NativeImageSource & { commit?: string }): Promise<WrittenImage>;
}

/** Opens a workshop, with one commit "os" to make images of. */
export async function workshop(): Promise<Workshop> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await sysrootDirectory());
  const env = {
    ...await containersHome(`${path}/home`, { registries: "" }),
    OSTREE_SYSROOT_DEBUG: "mutable-deployments",
    TMPDIR: path,
  };
  const source = `${path}/source`;
  await ostreeInit(source, "archive");
  const commit = (request: OsCommit = {}) => makeOsCommit(source, request);
  await commit();
  const owned = stack.move();
  return {
    path,
    env,
    run: (...words) => bootcWith({ argv0: "ostree-container", env }, ...words),
    commit,
    async repo(name, mode = "bare") {
      const repo = `${path}/${name}`;
      await ostreeInit(repo, mode);
      await ostreeText("config", `--repo=${repo}`, "set", "core.fsync", "false");
      return repo;
    },
    image: (name, { commit = "os", ...rest } = {}) => nativeImage(`${path}/${name}`, { repo: source, commit }, rest),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The commit that a line `... => COMMIT` ends with. */
export function commitIn(stdout: string): string {
  const match = /=> ([0-9a-f]{64})\n$/.exec(stdout);
  if (!match) throw new Error(`No commit at the end of: ${stdout}`);
  return match[1]!;
}

/** All refs of a repository and their commits. */
export function refsOf(path: string): Record<string, string> {
  using repo = Repo.open(path);
  return Object.fromEntries([...repo.listRefs()].toSorted(([a], [b]) => a < b ? -1 : 1));
}
