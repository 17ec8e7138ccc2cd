/**
 * Builds images for tests without any tool: layers from a description of their tree, `oci:` directories from layers. The same
 * description gives the same bytes.
 */
import { sha256 } from "../lib/codec/sha256.ts";
import { tarEnd, type TarHeader, tarHeader, tarPadding, type TarType } from "../lib/codec/tar_write.ts";
import type { Bytes } from "../lib/sys/libc.ts";
import { gzip, gzipMembers, zstd, zstdChunked } from "./compress.ts";

export * from "./native_image.ts";

const encoder = new TextEncoder();
// Opens libcrypto before any test runs: a test may not leave a library open.
sha256(new Uint8Array(0));

/** Owner, permissions and attributes of an entry; what is left out is root's, 0755 or 0644, of 1970. */
export interface Meta {
  mode?: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  xattrs?: Readonly<Record<string, string | Bytes>>;
}

/** One entry of a layer but for its name. */
export interface Node extends Meta {
  readonly type: TarType;
  readonly content?: Bytes;
  readonly link?: string | Bytes;
  readonly device?: { major: number; minor: number };
}

/** A regular file. */
export function file(content: string | Bytes = "", meta: Meta = {}): Node {
  return { ...meta, type: "file", content: typeof content === "string" ? encoder.encode(content) : content };
}

/** A symbolic link. */
export function link(target: string | Bytes, meta: Meta = {}): Node {
  return { mode: 0o777, ...meta, type: "symlink", link: target };
}

/** A second name for an entry above, by its path in the layer. */
export function hardlink(target: string | Bytes, meta: Meta = {}): Node {
  return { ...meta, type: "hardlink", link: target };
}

/** A directory; its name in the description ends in "/" by custom. */
export function dir(meta: Meta = {}): Node {
  return { mode: 0o755, ...meta, type: "directory" };
}

/** The empty file behind a `.wh.NAME` or `.wh..wh..opq`. */
export const whiteout: Node = { type: "file", content: new Uint8Array(0) };

/** A device, a character one unless `block`. */
export function device(numbers: { major: number; minor: number; block?: boolean }, meta: Meta = {}): Node {
  const { block = false, ...device } = numbers;
  return { ...meta, type: block ? "blockDevice" : "characterDevice", device };
}

/** A named pipe. */
export function fifo(meta: Meta = {}): Node {
  return { ...meta, type: "fifo" };
}

/** Names and entries in archive order: an object, or a list where names repeat or are no UTF-8. */
export type Tree = Readonly<Record<string, Node>> | readonly (readonly [name: string | Bytes, node: Node])[];

/** The tar of a layer. Parents that the description does not name are not in it. */
export function image(tree: Tree, options: { format?: "gnu" | "pax" } = {}): Bytes {
  const parts: Bytes[] = [];
  const entries = Array.isArray(tree) ? tree as readonly (readonly [string | Bytes, Node])[] : Object.entries(tree);
  for (const [name, node] of entries) parts.push(...entryBlocks(name, node, options.format ?? "pax"));
  parts.push(tarEnd);
  return concat(parts);
}

/** Header, body and padding of one entry. */
export function entryBlocks(name: string | Bytes, node: Node, format: "gnu" | "pax"): Bytes[] {
  const content = node.content ?? new Uint8Array(0);
  const header: TarHeader = {
    name,
    type: node.type,
    mode: node.mode ?? 0o644,
    uid: node.uid ?? 0,
    gid: node.gid ?? 0,
    mtime: node.mtime ?? 0,
    size: content.length,
    ...(node.link === undefined ? {} : { link: node.link }),
    ...(node.device === undefined ? {} : { device: node.device }),
    xattrs: Object.entries(node.xattrs ?? {}).map(([key, value]) =>
      [key, typeof value === "string" ? encoder.encode(value) : value] as const
    ),
  };
  return [tarHeader(header, { format }), content, tarPadding(content.length)];
}

/** How a layer is stored; "-members" and "-chunked" are several gzip members, or zstd frames with skippable ones between. */
export type LayerCompression = "none" | "gzip" | "gzip-members" | "zstd" | "zstd-chunked";

/** One layer of an image. */
export interface LayerSource {
  tar: Bytes;
  /** "gzip" when left out. */
  compression?: LayerCompression;
  annotations?: Record<string, string>;
  /** Text of its history entry. */
  createdBy?: string;
  /** Stored instead of the compressed tar, under its own digest: for broken compression. */
  blob?: Bytes;
}

/** What an image says that is not so, each by the index of a layer. */
export interface Lies {
  /** The descriptor names another digest; the blob lies under it. */
  digest?: number;
  /** The descriptor's size is one too large. */
  size?: number;
  /** The config names another diff_id. */
  diffId?: number;
  /** The config has no diff_id for the last layer. */
  missingDiffId?: boolean;
}

/** What {@linkcode ociImage} writes. */
export interface ImageSource {
  layers: readonly (LayerSource | Bytes)[];
  labels?: Record<string, string>;
  /** OCI name; this machine's when left out. */
  architecture?: string;
  /** RFC 3339, in the config; 1970 when left out. */
  created?: string;
  /** Of the manifest. */
  annotations?: Record<string, string>;
  /** History entries without a layer, before the layers' own. */
  emptyHistory?: readonly string[];
  config?: Record<string, unknown>;
  /** A second image of another tag in the same directory stays; without a tag the directory has just this one. */
  tag?: string;
  lie?: Lies;
}

/** What was written. */
export interface WrittenImage {
  digest: string;
  manifest: Record<string, unknown>;
  config: Record<string, unknown>;
  configDigest: string;
  layers: { digest: string; diffId: string; size: number }[];
  /** As skopeo takes it: `oci:DIR` or `oci:DIR:TAG`. */
  reference: string;
}

const MEDIA = "application/vnd.oci.image.";

/** Writes an `oci:` directory, or adds a tag to one. */
export function ociImage(directory: string, source: ImageSource): WrittenImage {
  Deno.mkdirSync(`${directory}/blobs/sha256`, { recursive: true });
  const sources = source.layers.map((layer) => layer instanceof Uint8Array ? { tar: layer } : layer);
  const layers = sources.map((layer, index) => writeLayer(directory, layer, index, source.lie ?? {}));
  const config = imageConfig(source, sources, layers.map((layer) => layer.diffId));
  const configDescriptor = writeBlob(directory, json(config));
  const manifest = {
    schemaVersion: 2,
    mediaType: `${MEDIA}manifest.v1+json`,
    config: { mediaType: `${MEDIA}config.v1+json`, ...configDescriptor },
    layers: layers.map((layer) => layer.descriptor),
    ...(source.annotations === undefined ? {} : { annotations: source.annotations }),
  };
  const written = writeBlob(directory, json(manifest));
  writeIndex(directory, { mediaType: `${MEDIA}manifest.v1+json`, ...written }, source.tag);
  return {
    digest: written.digest,
    manifest,
    config,
    configDigest: configDescriptor.digest,
    layers: layers.map(({ diffId, descriptor }) => ({ diffId, digest: descriptor.digest, size: descriptor.size })),
    reference: `oci:${directory}${source.tag === undefined ? "" : `:${source.tag}`}`,
  };
}

function imageConfig(source: ImageSource, layers: readonly LayerSource[], diffIds: string[]): Record<string, unknown> {
  const created = source.created ?? "1970-01-01T00:00:00Z";
  if (source.lie?.missingDiffId) diffIds = diffIds.slice(0, -1);
  return {
    created,
    architecture: source.architecture ?? (Deno.build.arch === "aarch64" ? "arm64" : "amd64"),
    os: "linux",
    config: { ...(source.labels === undefined ? {} : { Labels: source.labels }), ...source.config },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: [
      ...(source.emptyHistory ?? []).map((text) => ({ created, created_by: text, empty_layer: true })),
      ...layers.map((layer, i) => ({ created, created_by: layer.createdBy ?? `layer ${i}` })),
    ],
  };
}

interface WrittenLayer {
  diffId: string;
  descriptor: { mediaType: string; digest: string; size: number; annotations?: Record<string, string> };
}

function writeLayer(directory: string, layer: LayerSource, index: number, lie: Lies): WrittenLayer {
  const compression = layer.compression ?? "gzip";
  const suffix = compression === "none" ? "" : compression.startsWith("gzip") ? "+gzip" : "+zstd";
  const name = lie.digest === index ? digestOf(encoder.encode("another blob")) : undefined;
  const { digest, size } = writeBlob(directory, layer.blob ?? compress(layer.tar, compression), name);
  return {
    diffId: lie.diffId === index ? digestOf(encoder.encode("another tar")) : digestOf(layer.tar),
    descriptor: {
      mediaType: `${MEDIA}layer.v1.tar${suffix}`,
      digest,
      size: lie.size === index ? size + 1 : size,
      ...(layer.annotations === undefined ? {} : { annotations: layer.annotations }),
    },
  };
}

/** The bytes of a layer in an image. */
export function compress(tar: Bytes, compression: LayerCompression): Bytes {
  switch (compression) {
    case "none":
      return tar;
    case "gzip":
      return gzip(tar);
    case "gzip-members":
      return gzipMembers(tar);
    case "zstd":
      return zstd(tar);
    case "zstd-chunked":
      return zstdChunked(tar);
  }
}

/** `sha256:` and the hash in hexadecimal. */
export function digestOf(bytes: Bytes): string {
  return `sha256:${sha256(bytes).toHex()}`;
}

/** Joins pieces. */
export function concat(parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function writeBlob(directory: string, bytes: Bytes, digest = digestOf(bytes)): { digest: string; size: number } {
  Deno.writeFileSync(`${directory}/blobs/${digest.replace(":", "/")}`, bytes);
  return { digest, size: bytes.length };
}

interface IndexEntry {
  annotations?: Record<string, string>;
  [key: string]: unknown;
}

function writeIndex(directory: string, descriptor: IndexEntry, tag: string | undefined): void {
  const path = `${directory}/index.json`;
  const nameKey = "org.opencontainers.image.ref.name";
  let manifests: IndexEntry[] = [];
  if (tag !== undefined) {
    descriptor.annotations = { [nameKey]: tag };
    try {
      manifests = JSON.parse(Deno.readTextFileSync(path)).manifests;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  manifests = [...manifests.filter((other) => other.annotations?.[nameKey] !== tag), descriptor];
  Deno.writeFileSync(path, json({ schemaVersion: 2, mediaType: `${MEDIA}index.v1+json`, manifests }));
  Deno.writeFileSync(`${directory}/oci-layout`, json({ imageLayoutVersion: "1.0.0" }));
}

function json(value: unknown): Bytes {
  return encoder.encode(JSON.stringify(value));
}
