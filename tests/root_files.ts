/** Root file systems in temporary directories, made from a description. */
import { fromBinaryString } from "../lib/ostree/objects.ts";
import * as libc from "../lib/sys/libc.ts";
import { type TempDir, tempDir } from "./temp.ts";

/** A directory, a file's content, a symlink, or a FIFO. */
export type RootNode = "directory" | "fifo" | { readonly file: string | Uint8Array } | { readonly link: string };

/** By path from the root; paths and targets are binary strings. Parents are made as needed. */
export type RootTree = Readonly<Record<string, RootNode>>;

export const directory: RootNode = "directory";
export const fifo: RootNode = "fifo";

/** A file with content. */
export function text(content: string | Uint8Array): RootNode {
  return { file: content };
}

/** A symlink. */
export function symlink(target: string): RootNode {
  return { link: target };
}

const O_TRUNC = 0o1000;

function bytes(path: string): libc.Bytes {
  return fromBinaryString(`${path}\0`);
}

/** Adds to a root, or replaces files in it. */
export function addToRoot(root: string, tree: RootTree): void {
  for (const [path, node] of Object.entries(tree)) {
    const names = path.split("/");
    const depth = node === "directory" ? names.length : names.length - 1;
    for (let length = 1; length <= depth; length++) {
      libc.mkdirat(libc.AT_FDCWD, bytes(`${root}/${names.slice(0, length).join("/")}`), 0o755);
    }
    const at = bytes(`${root}/${path}`);
    if (node === "directory") continue;
    if (node === "fifo") {
      if (!new Deno.Command("mkfifo", { args: [`${root}/${path}`] }).outputSync().success) throw new Error("mkfifo");
    } else if ("link" in node) {
      libc.symlinkat(bytes(node.link), libc.AT_FDCWD, at);
    } else {
      const fd = libc.openat(libc.AT_FDCWD, at, libc.O_WRONLY | libc.O_CREAT | O_TRUNC, 0o644);
      libc.writeAll(fd, typeof node.file === "string" ? new TextEncoder().encode(node.file) : node.file.slice());
      libc.close(fd);
    }
  }
}

/** Of the reference's passing tree (behaviour.md 2.4). */
export const PASSING: RootTree = {
  dev: directory,
  proc: directory,
  sys: directory,
  run: directory,
  tmp: directory,
  var: directory,
  boot: directory,
  sysroot: directory,
  ostree: symlink("sysroot/ostree"),
  "usr/lib/modules/5.7.2/vmlinuz": text("vmlinuz"),
  "usr/lib/ostree/prepare-root.conf": text("[composefs]\nenabled = true\n"),
};

/** A root of exactly this tree. */
export async function rootOf(tree: RootTree): Promise<TempDir> {
  const root = await tempDir();
  addToRoot(root.path, tree);
  return root;
}

/** The passing tree with something added, or (as `undefined`) removed. */
export async function passingRoot(changes: Readonly<Record<string, RootNode | undefined>> = {}): Promise<TempDir> {
  const gone = Object.keys(changes).filter((path) => changes[path] === undefined);
  const kept = Object.entries({ ...PASSING, ...changes }).filter(([path]) => {
    return !gone.some((each) => path === each || path.startsWith(`${each}/`));
  });
  return await rootOf(Object.fromEntries(kept) as RootTree);
}

/** A root with directories below each other, deeper than one path can say. */
export async function deepRoot(levels: number): Promise<TempDir> {
  const { path } = await tempDir();
  let fd = libc.openDirectoryAt(libc.AT_FDCWD, path);
  for (let level = 0; level < levels; level++) {
    libc.mkdirat(fd, libc.cstr("d"), 0o755);
    const next = libc.openDirectoryAt(fd, "d");
    libc.close(fd);
    fd = next;
  }
  libc.close(fd);
  return {
    path,
    async [Symbol.asyncDispose]() {
      // Deno.remove() takes whole paths.
      await new Deno.Command("rm", { args: ["-rf", path] }).output();
    },
  };
}
