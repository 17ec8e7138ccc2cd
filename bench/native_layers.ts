/** Makes the layers of an ostree-native image from a commit in a bare repository, as the reference's exporter does (formats: 3.4). */
import type { TarHeader } from "../lib/codec/tar_write.ts";
import { walkDirtree } from "../lib/ostree/dirtree.ts";
import { Repo } from "../lib/ostree/repo.ts";
import type { Bytes } from "../lib/sys/libc.ts";
import { TarFile } from "./tar_file.ts";

const OWNER = { uid: 0, gid: 0 } as const;
const decoder = new TextDecoder();

/** A file of the commit: its object, and everywhere it lies. */
interface Content {
  readonly checksum: string;
  readonly paths: string[];
}

interface Collected {
  /** Metadata objects in the order of a walk, each once: `ab…cd.dirtree`. */
  readonly metadata: Map<string, Bytes>;
  readonly files: Map<string, Content>;
  readonly directories: string[];
}

function collect(repo: Repo, commit: string): Collected {
  const result: Collected = { metadata: new Map(), files: new Map(), directories: [] };
  const { rootTree, rootMeta } = repo.loadCommit(commit);
  const visit = (tree: string, meta: string, path: string) => {
    result.metadata.set(`${meta}.dirmeta`, repo.loadMetadata("dirmeta", meta));
    const bytes = repo.loadMetadata("dirtree", tree);
    result.metadata.set(`${tree}.dirtree`, bytes);
    const below: [name: string, tree: string, meta: string][] = [];
    walkDirtree(bytes, {
      file(buffer, start, end, checksumAt) {
        const checksum = buffer.subarray(checksumAt, checksumAt + 32).toHex();
        const file = result.files.get(checksum) ?? { checksum, paths: [] };
        file.paths.push(path + decoder.decode(buffer.subarray(start, end)));
        result.files.set(checksum, file);
      },
      directory(buffer, start, end, checksumAt) {
        const [tree, meta] = [0, 32].map((at) => buffer.subarray(checksumAt + at, checksumAt + at + 32).toHex());
        below.push([decoder.decode(buffer.subarray(start, end)), tree!, meta!]);
      },
    });
    for (const [name, tree, meta] of below) {
      result.directories.push(path + name);
      visit(tree, meta, `${path}${name}/`);
    }
  };
  visit(rootTree, rootMeta, "");
  return result;
}

function objectName(object: string): string {
  return `sysroot/ostree/repo/objects/${object.slice(0, 2)}/${object.slice(2)}`;
}

function addSkeleton(tar: TarFile): void {
  const directory = (name: string) => tar.add({ name: `${name}/`, type: "directory", mode: 0o755, ...OWNER });
  for (const name of ["sysroot", "sysroot/ostree", "sysroot/ostree/repo", "sysroot/ostree/repo/objects"]) {
    directory(name);
  }
  for (let i = 0; i < 256; i++) directory(`sysroot/ostree/repo/objects/${i.toString(16).padStart(2, "0")}`);
  const config = new TextEncoder().encode("[core]\nrepo_version=1\nmode=bare-split-xattrs\n");
  tar.add({ name: "sysroot/ostree/repo/config", type: "file", mode: 0o644, ...OWNER }, config);
}

/** Adds an object, read from a bare repository that was committed without xattrs, and the hardlinks where it lies in the tree. */
function addFile(tar: TarFile, repoPath: string, { checksum, paths }: Content): void {
  const name = objectName(`${checksum}.file`);
  const stored = `${repoPath}/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.file`;
  const info = Deno.lstatSync(stored);
  const owner = { uid: info.uid ?? 0, gid: info.gid ?? 0 };
  tar.add({ name: `${name}-xattrs-link`, type: "file", mode: 0o644, ...OWNER });
  if (info.isSymlink) {
    tar.add({ name, type: "symlink", mode: 0o777, link: Deno.readLinkSync(stored), ...owner });
  } else {
    const header: Omit<TarHeader, "size"> = { name, type: "file", mode: (info.mode ?? 0) & 0o7777, ...owner };
    tar.add(header, Deno.readFileSync(stored));
  }
  for (const path of paths) {
    const target = path.replace(/^usr\/etc\//, "etc/");
    if (info.isFile && info.size === 0) {
      tar.add({ name: target, type: "file", mode: (info.mode ?? 0) & 0o7777, ...owner });
    } else tar.add({ name: target, type: "hardlink", mode: 0o644, link: name, ...OWNER });
  }
}

/**
 * Writes a commit as `1 + chunks` tar files into a directory: commit and metadata objects (and all content where `chunks` is 0), then the
 * content in chunks of about the same number of files. Gives their paths in order.
 */
export function writeNativeLayers(
  repoPath: string,
  commit: string,
  options: { directory: string; chunks: number },
): string[] {
  using repo = Repo.open(repoPath);
  const { metadata, files, directories } = collect(repo, commit);
  const paths = Array.from(
    { length: options.chunks + 1 },
    (_, i) => `${options.directory}/native-${options.chunks}-${i}.tar`,
  );
  const contents = [...files.values()];
  const perChunk = Math.ceil(contents.length / Math.max(1, options.chunks));
  paths.forEach((path, i) => {
    using tar = new TarFile(path);
    addSkeleton(tar);
    if (i === 0) {
      tar.add(
        { name: objectName(`${commit}.commit`), type: "file", mode: 0o644, ...OWNER },
        repo.loadMetadata("commit", commit),
      );
      for (const [object, bytes] of metadata) {
        tar.add({ name: objectName(object), type: "file", mode: 0o644, ...OWNER }, bytes);
      }
      for (const name of directories) tar.add({ name: `${name}/`, type: "directory", mode: 0o755, ...OWNER });
    }
    const first = (i - 1) * perChunk;
    const mine = options.chunks === 0 ? contents : i === 0 ? [] : contents.slice(first, first + perChunk);
    for (const content of mine) addFile(tar, repoPath, content);
    tar.end();
  });
  return paths;
}
