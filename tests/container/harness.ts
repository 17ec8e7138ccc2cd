/** What tests of the importer share: a repository in memory, and one call that pulls into it. */
import "../libraries.ts";
import { renderError } from "../../lib/cli/errors.ts";
import { decoderFor } from "../../lib/codec/inflate.ts";
import { isalWorks } from "../../lib/codec/isal.ts";
import { ImagePull, type PulledImage, type PullOptions } from "../../lib/container/pull.ts";
import { parseAnyImageReference } from "../../lib/oci/reference.ts";
import { Repo } from "../../lib/ostree/repo.ts";
import { type Context, plainContext } from "../../lib/sys/context.ts";
import { doubleRing } from "../../lib/sys/libc.ts";
import { image, type LayerSource, type NativeImageSource, ociImage, type Tree, type WrittenImage } from "../image.ts";
import { nativeImage } from "../native_image.ts";
import { ostreeCommit, ostreeInit, ostreeText } from "../ostree_cli.ts";
import { containersHome } from "../registry.ts";
import { type OsTree, writeOsTree } from "../sysroot.ts";
import { tempDir } from "../temp.ts";

// Libraries stay open for the life of the process, which the leak check of a single test would take for a fault.
isalWorks();
for (const compression of ["gzip", "zstd"] as const) {
  decoderFor(compression, { input: new Uint8Array(4096), output: doubleRing(64 << 10) }, { isal: false });
}

/** A temporary place with an empty repository. */
export interface TestStore extends AsyncDisposable {
  readonly path: string;
  readonly repo: string;
  /** Without a signal, and with an environment in which skopeo accepts everything. */
  readonly ctx: Context;
  /** What was noted, line by line. */
  readonly notes: string[];
  pull(reference: string, options?: PullOptions, ctx?: Partial<Context>): Promise<PulledImage>;
}

/** Makes a repository in memory, which may fill all of it. */
export async function testStore(mode = "bare", on = "/dev/shm"): Promise<TestStore> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await tempDir(on));
  const repo = `${path}/repo`;
  await newRepo(repo, mode);
  const env = await containersHome(`${path}/home`, { registries: "" });
  const notes: string[] = [];
  const ctx: Context = { ...plainContext(env), note: (line) => notes.push(line) };
  const owned = stack.move();
  return {
    path,
    repo,
    ctx,
    notes,
    pull: (reference, options, more) => pullImage({ ...ctx, ...more }, { repo, reference }, options),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** An empty repository; it syncs, which costs nothing in memory. */
export async function newRepo(path: string, mode: string): Promise<void> {
  await ostreeInit(path, mode);
  await Deno.writeTextFile(`${path}/config`, "min-free-space-percent=0\n", { append: true });
}

/** Pulls an image as a command does it. */
export async function pullImage(
  ctx: Context,
  { repo: path, reference }: { repo: string; reference: string },
  options: PullOptions = {},
): Promise<PulledImage> {
  using repo = Repo.open(path);
  await using pull = await ImagePull.open(ctx, repo, parseAnyImageReference(reference), options);
  return await pull.import(await pull.prepare());
}

/** An error, its causes behind it, as a command prints them. */
export function wholeMessage(error: unknown): string {
  const messages: string[] = [];
  for (let e = error; e instanceof Error; e = e.cause) messages.push(e.message);
  return messages.join(": ");
}

/** What a pull that must fail says; never that the program has a bug. */
export async function failure(pull: Promise<unknown>): Promise<string> {
  try {
    await pull;
  } catch (error) {
    const shown = renderError(error);
    if (shown.includes("This is a bug")) throw new Error(shown);
    return wholeMessage(error);
  }
  throw new Error("The pull did not fail");
}

/** Root dirtree and dirmeta of a commit. */
export function rootOf(repoPath: string, ref: string): [string, string] {
  using repo = Repo.open(repoPath);
  const { rootTree, rootMeta } = repo.loadCommit(repo.resolve(ref) ?? ref);
  return [rootTree, rootMeta];
}

/** All refs and the roots of their commits. */
export function refRoots(repoPath: string): Record<string, [string, string]> {
  using repo = Repo.open(repoPath);
  const out: Record<string, [string, string]> = {};
  for (const [ref, commit] of [...repo.listRefs()].toSorted(([a], [b]) => a < b ? -1 : 1)) {
    const { rootTree, rootMeta } = repo.loadCommit(commit);
    out[ref] = [rootTree, rootMeta];
  }
  return out;
}

/** @throws {ToolError} unless `ostree fsck` is content */
export async function fsck(repo: string): Promise<void> {
  await ostreeText("fsck", `--repo=${repo}`);
}

/** A commit's tree by `ostree ls`: path to "d00755 0 0", "-00644 0 0 5", "l00777 0 0 0 -> target", with its xattrs behind where there are some. */
export async function listTree(repo: string, commit: string): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const line of (await ostreeText("ls", `--repo=${repo}`, "-R", "-X", commit)).split("\n")) {
    const match = /^([-dl]\d+) +(\d+) +(\d+) +(\d+) (?:\{ (.*?) \} )?(\/.*)$/.exec(line);
    if (!match) continue;
    const [, mode, uid, gid, size, xattrs, name] = match;
    const [path, target] = mode!.startsWith("l") ? name!.split(" -> ") : [name];
    const attributes = xattrs && xattrs !== "@a(ayay) []" ? ` ${xattrs}` : "";
    const shown = mode!.startsWith("-") ? ` ${size}` : target === undefined ? "" : ` -> ${target}`;
    out[path!] = `${mode} ${uid} ${gid}${shown}${attributes}`;
  }
  return out;
}

/** The content of a file of a commit. */
export async function readFile(repo: string, commit: string, path: string): Promise<string> {
  return await ostreeText("cat", `--repo=${repo}`, commit, path);
}

/** Writes an image of plain layers, as `FROM scratch` makes one. */
export function plainImage(directory: string, ...layers: (Tree | LayerSource)[]): WrittenImage {
  return ociImage(directory, {
    layers: layers.map((layer) => isSource(layer) ? layer : image(layer as Tree)),
    labels: { "containers.bootc": "1" },
  });
}

function isSource(layer: Tree | LayerSource): layer is LayerSource {
  return "tar" in layer && layer.tar instanceof Uint8Array;
}

/** A small operating system's commit in a repository of its own below `path`, for {@linkcode derivedImage}. */
export async function baseCommit(path: string, tree: OsTree = {}): Promise<{ repo: string; commit: string }> {
  const repo = `${path}/base-repo`;
  await newRepo(repo, "bare-user");
  await writeOsTree(`${path}/base-tree`, tree);
  const commit = await ostreeCommit(repo, { ref: "os", tree: `${path}/base-tree`, timestamp: "2024-01-01T00:00:00Z" });
  return { repo, commit };
}

/** An image with an ostree commit and layers on it. */
export async function derivedImage(
  directory: string,
  base: { repo: string; commit: string },
  layers: readonly (Tree | LayerSource)[],
  source: NativeImageSource = {},
): Promise<WrittenImage> {
  const derived = layers.map((layer) => isSource(layer) ? layer : image(layer as Tree));
  return await nativeImage(directory, base, { ...source, derived });
}
