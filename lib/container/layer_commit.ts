/**
 * The commits that stored layers are: of a derived layer its tree, of a chunk the list of its objects as files named by their own checksum.
 * Both are read by the reference too; what we keep beyond it stands in keys of our own, `bootc.layer.*`.
 */
import { Variant } from "../codec/gvariant.ts";
import type { Digest } from "../oci/digest.ts";
import { type Commit, encodeCommit, metadataText, newCommit } from "../ostree/commit.ts";
import { LayerTree } from "../ostree/layer_tree.ts";
import { binaryString, fromBinaryString } from "../ostree/objects.ts";
import type { ObjectStore } from "../ostree/store.ts";
import { UserError } from "../sys/errors.ts";
import type { Bytes } from "../sys/libc.ts";
import { VERSION } from "../version.ts";
import type { LayerFacts } from "./derived_layer.ts";
import type { LayerKind } from "./layout.ts";
import { type FilterRules, VAR_PATHS } from "./path_filter.ts";

const KIND = "bootc.layer.kind";
const NAMED = "bootc.layer.named-directories";
const LINKS = "bootc.layer.links";
const WHITEOUTS = "bootc.layer.whiteouts";
const FILTER = "bootc.layer.filter";
const DROPPED = "bootc.layer.dropped";
const DIFF_ID = "bootc.layer.diff-id";
const IMPORTER_VERSION = "ostree.importer.version";

/** Half of what libostree reads. */
const COMMIT_MAX_BYTES = 64 << 20;

/** How a stored derived layer merges; without `facts` it is one that the reference wrote. */
export interface StoredLayer {
  readonly tree: string;
  readonly meta: string;
  readonly facts: Omit<LayerFacts, "droppedPaths"> | undefined;
}

function filterText(rules: FilterRules): string {
  return `${rules.keepAll ? "all" : "usr"}:${rules.varPath}:${rules.policy}`;
}

function writeCommit(store: ObjectStore, root: { tree: string; meta: string }, metadata: [string, Variant][]): string {
  const sorted = new Map(metadata.toSorted(([a], [b]) => a < b ? -1 : 1));
  const commit = newCommit({ timestampSeconds: 0, rootTree: root.tree, rootMeta: root.meta, metadata: sorted });
  const bytes = encodeCommit(commit);
  if (bytes.length > COMMIT_MAX_BYTES) {
    throw new UserError(`The layer names too many directories: its commit would have ${bytes.length} bytes`, {
      hint: "Split the layer",
    });
  }
  return store.metadata("commit", bytes).toHex();
}

/** Writes a derived layer's commit; gives its checksum. The diff_id must be one that was verified. */
export function writeDerivedCommit(
  store: ObjectStore,
  layer: { tree: string; meta: string; facts: LayerFacts; diffId: Digest },
  rules: FilterRules,
): string {
  const { facts, diffId } = layer;
  return writeCommit(store, layer, [
    [KIND, new Variant("s", "derived")],
    [FILTER, new Variant("s", filterText(rules))],
    [NAMED, new Variant("aay", facts.named.map(fromBinaryString))],
    [
      LINKS,
      new Variant("a(ayay)", facts.links.map(([path, target]) => [fromBinaryString(path), fromBinaryString(target)])),
    ],
    [WHITEOUTS, new Variant("b", facts.whiteouts)],
    [DIFF_ID, new Variant("s", diffId)],
    [DROPPED, new Variant("a{st}", [...facts.dropped].map(([top, count]) => [dropName(top), count]))],
    [IMPORTER_VERSION, new Variant("s", VERSION)],
  ]);
}

function dropName(top: string): string {
  return new TextDecoder().decode(fromBinaryString(top));
}

/** Writes the commit of a chunk from its objects' checksums (64 hexadecimal digits each) and its verified diff_id; gives its checksum. */
export function writeChunkCommit(store: ObjectStore, files: readonly string[], diffId: Digest): string {
  const tree = new LayerTree(store);
  for (const checksum of files) {
    const name = fromBinaryString(checksum);
    tree.add(tree.root, { bytes: name, start: 0, end: name.length }, Uint8Array.fromHex(checksum));
  }
  const root = { tree: tree.flush().toHex(), meta: tree.root.meta.toHex() };
  tree.free();
  return writeCommit(store, root, [
    [KIND, new Variant("s", "chunk")],
    [DIFF_ID, new Variant("s", diffId)],
    [IMPORTER_VERSION, new Variant("s", VERSION)],
  ]);
}

/** Whether a stored commit can serve as a layer of this kind; foreign commits say nothing and are taken. */
export function servesAs(commit: Commit, kind: LayerKind): boolean {
  const stored = commit.metadata.get(KIND)?.value;
  return stored === undefined ? true : stored === kind;
}

/** @throws {UserError} when an image's own commit says of itself what only our commits of layers may say */
export function requireNoLayer(commit: Commit): void {
  if (!commit.metadata.has(KIND)) return;
  throw new UserError(`The image's commit has the metadata key "${KIND}", which is kept for layers`, {
    hint: "Build the image from a commit of an operating system",
  });
}

/** The diff_id that a layer had when it was imported; undefined for what is no layer's commit of ours. */
export function verifiedDiffId(commit: Commit): string | undefined {
  return commit.metadata.has(KIND) ? metadataText(commit.metadata, DIFF_ID) : undefined;
}

/** Whether a stored derived layer was filtered and labelled as these rules would; foreign commits say nothing and are taken. */
export function filteredAs(commit: Commit, rules: FilterRules): boolean {
  const stored = commit.metadata.get(FILTER)?.value;
  return stored === undefined || stored === filterText(rules);
}

/** Whether a stored derived layer has its /var as factory content. */
export function hasFactoryVar(commit: Commit): boolean {
  const stored = commit.metadata.get(FILTER)?.value;
  return typeof stored === "string" && stored.split(":")[1] === VAR_PATHS.factory;
}

/** What a merge needs of a stored derived layer. */
export function storedLayer(commit: Commit): StoredLayer {
  const root = { tree: commit.rootTree, meta: commit.rootMeta };
  const named = commit.metadata.get(NAMED);
  if (named?.type !== "aay") return { ...root, facts: undefined };
  const links = commit.metadata.get(LINKS);
  const dropped = commit.metadata.get(DROPPED);
  return {
    ...root,
    facts: {
      named: (named.value as readonly Bytes[]).map((path) => binaryString(path)),
      links: links?.type === "a(ayay)"
        ? (links.value as readonly (readonly [Bytes, Bytes])[]).map(([path, target]) =>
          [binaryString(path), binaryString(target)] as const
        )
        : [],
      whiteouts: commit.metadata.get(WHITEOUTS)?.value !== false,
      dropped: new Map(
        dropped?.type === "a{st}"
          ? (dropped.value as readonly (readonly [string, bigint])[]).map(([top, n]) => [top, Number(n)])
          : [],
      ),
    },
  };
}
