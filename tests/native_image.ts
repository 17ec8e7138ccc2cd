/**
 * Turns a commit of a real repository into the layers of an ostree-native image, in each of the three layouts that the reference has
 * written over the years; written from the format's description, apart from our own encapsulation, so that it can test the importer.
 */
import { decode, encode } from "../lib/codec/gvariant.ts";
import { sha256 } from "../lib/codec/sha256.ts";
import { tarEnd } from "../lib/codec/tar_write.ts";
import { plainContext } from "../lib/sys/context.ts";
import type { Bytes } from "../lib/sys/libc.ts";
import { capture, run } from "../lib/sys/run.ts";
import { inflateRaw } from "./compress.ts";
import {
  concat,
  digestOf,
  dir,
  entryBlocks,
  file,
  hardlink,
  type ImageSource,
  type LayerSource,
  link,
  type Node,
  ociImage,
  type WrittenImage,
} from "./image.ts";
import { tempDir } from "./temp.ts";

/** Where the xattrs of files are: in each `.file-xattrs-link` and PAX, in shared `.file-xattrs`, or below `xattrs/` with "./" paths. */
export type NativeLayout = "v1-new" | "v1-old" | "v0";

const REPO = "sysroot/ostree/repo";
const decoder = new TextDecoder();
const ctx = plainContext(Deno.env.toObject());

interface Content {
  readonly checksum: string;
  readonly node: Node;
  readonly xattrs: Bytes;
  readonly pairs: readonly (readonly [string, Bytes])[];
}

/** Something of the tree, in the order of the format. */
type Item =
  | { kind: "metadata"; path: string; bytes: Bytes }
  | { kind: "directory"; path: string; node: Node }
  | { kind: "file"; path: string; checksum: string };

interface Export {
  root: Node;
  items: Item[];
  contents: Map<string, Content>;
}

/** The tar of a whole commit. */
export async function nativeLayer(
  repo: string,
  commit: string,
  options: { layout?: NativeLayout } = {},
): Promise<Bytes> {
  const [layer] = await nativeLayers(repo, commit, { ...options, chunks: 0 });
  return layer!;
}

/**
 * The tars of a commit in a layer of metadata and `chunks` layers of content (by turns); with 0 chunks everything is in the first.
 * The last one is what `ostree.final-diffid` names.
 */
export async function nativeLayers(
  repo: string,
  commit: string,
  options: { layout?: NativeLayout; chunks: number },
): Promise<Bytes[]> {
  const layout = options.layout ?? "v1-new";
  const data = await readCommit(repo, commit);
  const checksums = [...data.contents.keys()].sort();
  const first = new Writer(layout);
  first.begin(data);
  first.items(data, { metadata: true, wanted: new Set(options.chunks === 0 ? checksums : []) });
  if (!data.items.some((item) => item.path === "var/tmp")) first.put("var/tmp", dir({ mode: 0o1777 }));
  const layers = [first.end()];
  for (let chunk = 0; chunk < options.chunks; chunk++) {
    const writer = new Writer(layout);
    writer.begin(data);
    const wanted = new Set(checksums.filter((_, i) => i % options.chunks === chunk));
    writer.items(data, { metadata: false, wanted });
    layers.push(writer.end());
  }
  return layers;
}

/** What {@linkcode nativeImage} writes besides the commit. */
export interface NativeImageSource extends Omit<ImageSource, "layers"> {
  layout?: NativeLayout;
  /** Content layers; 0, one layer for all, when left out. */
  chunks?: number;
  /** Layers on top of the commit. */
  derived?: readonly (LayerSource | Bytes)[];
  compression?: LayerSource["compression"];
  /** Set `ostree.bootable` and `containers.bootc`; true when left out. */
  bootable?: boolean;
}

/** Writes an `oci:` directory with an ostree-native image: base, chunks, then derived layers, and the labels that importers need. */
export async function nativeImage(
  directory: string,
  base: { repo: string; commit: string },
  source: NativeImageSource = {},
): Promise<WrittenImage> {
  const { layout, chunks = 0, derived = [], compression, bootable = true, labels, ...rest } = source;
  const commit = (await capture(ctx, ["ostree", "rev-parse", `--repo=${base.repo}`, base.commit])).trim();
  const tars = await nativeLayers(base.repo, commit, { chunks, ...(layout === undefined ? {} : { layout }) });
  const native = tars.map((tar): LayerSource => ({ tar, ...(compression === undefined ? {} : { compression }) }));
  return ociImage(directory, {
    ...rest,
    annotations: { "ostree.commit": commit, ...rest.annotations },
    labels: {
      "ostree.commit": commit,
      "ostree.final-diffid": digestOf(tars.at(-1)!),
      ...(bootable ? { "ostree.bootable": "true", "containers.bootc": "1" } : {}),
      ...labels,
    },
    layers: [...native, ...derived],
  });
}

/** Writes one layer's tar. */
class Writer {
  readonly #parts: Bytes[] = [];
  readonly #sharedXattrs = new Set<string>();
  readonly #prefix: string;
  constructor(readonly layout: NativeLayout) {
    this.#prefix = layout === "v0" ? "./" : "";
  }

  put(path: string, node: Node): void {
    const named = node.type === "hardlink" ? { ...node, link: this.#prefix + node.link } : node;
    this.#parts.push(...entryBlocks(this.#prefix + path, named, "gnu"));
  }

  /** Root, and the skeleton of a repository. */
  begin(data: Export): void {
    this.#parts.push(...entryBlocks("./", data.root, "gnu"));
    for (const path of ["sysroot", "sysroot/ostree", REPO, `${REPO}/objects`]) this.put(path, dir());
    for (let i = 0; i < 256; i++) this.put(`${REPO}/objects/${i.toString(16).padStart(2, "0")}`, dir());
    const more = this.layout === "v0" ? ["xattrs"] : [];
    for (
      const name of [
        ...more,
        "extensions",
        "refs",
        "refs/heads",
        "refs/mirrors",
        "refs/remotes",
        "state",
        "tmp",
        "tmp/cache",
      ]
    ) this.put(`${REPO}/${name}`, dir());
    const mode = this.layout === "v0" ? "bare" : "bare-split-xattrs";
    this.put(`${REPO}/config`, file(`[core]\nrepo_version=1\nmode=${mode}\n`));
  }

  /** Metadata objects and all directories, or only the parents of wanted files; then the files. */
  items(data: Export, options: { metadata: boolean; wanted: ReadonlySet<string> }): void {
    const written = new Set<string>();
    const isWanted = (item: Item) => item.kind === "file" && options.wanted.has(item.checksum);
    for (const item of data.items) {
      if (item.kind === "metadata" && options.metadata) this.put(item.path, file(item.bytes));
      if (item.kind === "directory") {
        const parent = data.items.some((other) => isWanted(other) && other.path.startsWith(`${item.path}/`));
        if (options.metadata || parent) this.put(item.path, item.node);
      }
      if (item.kind !== "file" || !isWanted(item)) continue;
      const content = data.contents.get(item.checksum)!;
      if (!written.has(item.checksum)) this.#object(content);
      written.add(item.checksum);
      this.#name(item.path, content);
    }
  }

  /** Empty files are written again, all others are links to their objects. */
  #name(path: string, content: Content): void {
    const { xattrs: _, ...plain } = content.node;
    const empty = plain.type === "file" && plain.content!.length === 0;
    this.put(path, empty ? plain : hardlink(objectPath(content.checksum, "file"), { mode: plain.mode! }));
  }

  end(): Bytes {
    return concat([...this.#parts, tarEnd]);
  }

  #object(content: Content): void {
    const { checksum, node, xattrs } = content;
    if (this.layout === "v1-new") {
      this.put(objectPath(checksum, "file-xattrs-link"), file(xattrs));
      const pairs = content.pairs.filter(([name]) => name !== "security.selinux");
      this.put(objectPath(checksum, "file"), { ...node, xattrs: Object.fromEntries(pairs) });
      return;
    }
    const hash = sha256(xattrs).toHex();
    const shared = this.layout === "v0" ? `${REPO}/xattrs/${hash}` : objectPath(hash, "file-xattrs");
    if (!this.#sharedXattrs.has(hash)) this.put(shared, file(xattrs));
    this.#sharedXattrs.add(hash);
    this.put(objectPath(checksum, this.layout === "v0" ? "file.xattrs" : "file-xattrs-link"), hardlink(shared));
    this.put(objectPath(checksum, "file"), node);
  }
}

function objectName(checksum: string, extension: string): string {
  return `objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.${extension}`;
}

function objectPath(checksum: string, extension: string): string {
  return `${REPO}/${objectName(checksum, extension)}`;
}

/** Reads by way of an archive repository: its `.filez` objects have owner, mode and xattrs in their header. */
async function readCommit(repo: string, ref: string): Promise<Export> {
  await using tmp = await tempDir();
  const archive = `${tmp.path}/repo`;
  const commit = (await capture(ctx, ["ostree", "rev-parse", `--repo=${repo}`, ref])).trim();
  await run(ctx, ["ostree", "init", `--repo=${archive}`, "--mode=archive"]);
  await run(ctx, ["ostree", "pull-local", `--repo=${archive}`, repo, commit]);
  const read = (checksum: string, extension: string) => {
    return Deno.readFileSync(`${archive}/${objectName(checksum, extension)}`);
  };
  const bytes = read(commit, "commit");
  const [, , , , , , tree, meta] = decode("(a{sv}aya(say)sstayay)", bytes) as Bytes[];
  const data: Export = { root: directoryNode(read(meta!.toHex(), "dirmeta")), items: [], contents: new Map() };
  addMetadata(data, objectPath(commit, "commit"), bytes);
  try {
    addMetadata(data, objectPath(commit, "commitmeta"), read(commit, "commitmeta"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  walk(data, read, { tree: tree!.toHex(), meta: meta!.toHex(), path: "" });
  return data;
}

function addMetadata(data: Export, path: string, bytes: Bytes): void {
  if (!data.items.some((item) => item.path === path)) data.items.push({ kind: "metadata", path, bytes });
}

type Read = (checksum: string, extension: string) => Bytes;

function walk(data: Export, read: Read, at: { tree: string; meta: string; path: string }): void {
  const tree = read(at.tree, "dirtree");
  const meta = read(at.meta, "dirmeta");
  addMetadata(data, objectPath(at.meta, "dirmeta"), meta);
  if (at.path !== "") {
    data.items.push({ kind: "directory", path: exportedPath(at.path).slice(0, -1), node: directoryNode(meta) });
  }
  addMetadata(data, objectPath(at.tree, "dirtree"), tree);
  const [files, dirs] = decode("(a(say)a(sayay))", tree) as [[string, Bytes][], [string, Bytes, Bytes][]];
  for (const [name, checksum] of files) {
    const hex = checksum.toHex();
    if (!data.contents.has(hex)) data.contents.set(hex, parseContent(hex, read(hex, "filez")));
    data.items.push({ kind: "file", path: exportedPath(at.path + name), checksum: hex });
  }
  for (const [name, treeSum, metaSum] of dirs) {
    if (at.path === "" && name === "sysroot") continue;
    walk(data, read, { tree: treeSum.toHex(), meta: metaSum.toHex(), path: `${at.path}${name}/` });
  }
}

/** /usr/etc is exported as /etc. */
function exportedPath(path: string): string {
  return path.replace(/^usr\/etc(?=\/)/, "etc");
}

function directoryNode(dirmeta: Bytes): Node {
  const [uid, gid, mode] = decode("(uuua(ayay))", dirmeta) as number[];
  return dir({ uid: bigEndian(uid!), gid: bigEndian(gid!), mode: bigEndian(mode!) & 0o7777 });
}

/** ostree keeps integers in big-endian order inside its variants. */
function bigEndian(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return view.getUint32(0);
}

/** `.filez`: length of the header (u32, big-endian), four zeros, header, deflated body. */
function parseContent(checksum: string, bytes: Bytes): Content {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const header = decode("(tuuuusa(ayay))", bytes.slice(8, 8 + length)) as [
    ...[bigint, number, number, number, number, string],
    [Bytes, Bytes][],
  ];
  const [, uid, gid, mode, , target, xattrs] = header;
  const fullMode = bigEndian(mode);
  const meta = { uid: bigEndian(uid), gid: bigEndian(gid), mode: fullMode & 0o7777 };
  const symlink = (fullMode & 0o170000) === 0o120000;
  return {
    checksum,
    node: symlink ? link(target, meta) : file(inflateRaw(bytes.slice(8 + length)), meta),
    xattrs: encode("a(ayay)", xattrs),
    pairs: xattrs.map(([name, value]) => [decoder.decode(name.subarray(0, -1)), value] as const),
  };
}
