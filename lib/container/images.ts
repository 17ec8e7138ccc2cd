/**
 * Stored images: the merge commits below `ostree/container/image`, and what their metadata says (formats.md 3.6; ostree-ext
 * `container/store.rs`).
 */
import { Variant } from "../codec/gvariant.ts";
import { canonicalJson } from "../oci/canonical_json.ts";
import { type ImageConfig, parseImageConfig } from "../oci/config.ts";
import { type Digest, parseDigest } from "../oci/digest.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { formatImageReference, type ImageReference } from "../oci/reference.ts";
import { type Commit, decodeMetadata, encodeMetadata, metadataText } from "../ostree/commit.ts";
import type { Repo } from "../ostree/repo.ts";
import { UserError } from "../sys/errors.ts";
import { IMAGE_PREFIX, imageOfRef, imageRef } from "./refs.ts";

/** Keys of a merge commit's metadata. */
export const MANIFEST_DIGEST_KEY = "ostree.manifest-digest";
export const MANIFEST_KEY = "ostree.manifest";
export const CONFIG_KEY = "ostree.container.image-config";

const CACHED = {
  digest: "ostree-ext.cached.manifest-digest",
  manifest: "ostree-ext.cached.manifest",
  config: "ostree-ext.cached.config",
} as const;

/** A manifest and its config. */
export interface ImageDescription {
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** Old writers left it out. */
  readonly config: ImageConfig | undefined;
}

/** An image in a repository. */
export interface StoredImage extends ImageDescription {
  /** Checksum of the merge commit. */
  readonly commit: string;
  /** Checksum of the ostree commit that the image was derived from. */
  readonly base: string | undefined;
}

/** The image that a merge commit is; undefined for any other commit. @throws {SyntaxError} when its metadata is damaged */
export function imageOfCommit(checksum: string, commit: Commit): StoredImage | undefined {
  const digest = metadataText(commit.metadata, MANIFEST_DIGEST_KEY);
  const manifest = metadataText(commit.metadata, MANIFEST_KEY);
  if (digest === undefined || manifest === undefined) return undefined;
  return {
    commit: checksum,
    base: commit.parent,
    ...describe(digest, manifest, metadataText(commit.metadata, CONFIG_KEY)),
  };
}

function describe(digest: string, manifest: string, config: string | undefined): ImageDescription {
  const parsed: unknown = config === undefined ? null : JSON.parse(config);
  return {
    digest: parseDigest(digest),
    manifest: parseManifest(JSON.parse(manifest)),
    config: parsed === null ? undefined : parseImageConfig(parsed),
  };
}

/** The image stored under a reference. @throws {SyntaxError} when its metadata is damaged */
export function storedImage(repo: Repo, image: ImageReference): StoredImage | undefined {
  const commit = repo.resolve(imageRef(image));
  return commit === undefined ? undefined : imageOfCommit(commit, repo.loadCommit(commit));
}

/** The image stored under a reference. @throws {UserError} `No such image: ...` @throws {SyntaxError} when its metadata is damaged */
export function requireImage(repo: Repo, image: ImageReference): StoredImage {
  const stored = storedImage(repo, image);
  if (stored) return stored;
  throw new UserError(`No such image: ${formatImageReference(image)}`, { hint: "See `ostree container image list`" });
}

/** All stored images by their reference, in the order of their refs; refs that are none of ours are left out. */
export function listImages(repo: Repo): { readonly image: ImageReference; readonly commit: string }[] {
  const out: { image: ImageReference; commit: string }[] = [];
  for (const [ref, commit] of [...repo.listRefs(IMAGE_PREFIX)].toSorted(([a], [b]) => a < b ? -1 : 1)) {
    try {
      out.push({ image: imageOfRef(ref), commit });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return out;
}

/** A merge commit's metadata, in the order of its keys. */
export function imageMetadata(image: ImageDescription, importerVersion: string): Map<string, Variant> {
  return new Map([
    [CONFIG_KEY, new Variant("s", canonicalJson(image.config?.raw ?? null))],
    ["ostree.importer.version", new Variant("s", importerVersion)],
    [MANIFEST_KEY, new Variant("s", canonicalJson(image.manifest.raw))],
    [MANIFEST_DIGEST_KEY, new Variant("s", image.digest)],
  ]);
}

/** The update that the last look at the registry found, kept beside the merge commit. @throws {SyntaxError} when it is damaged */
export function cachedUpdate(repo: Repo, commit: string): ImageDescription | undefined {
  const bytes = repo.readDetachedMetadata(commit);
  if (bytes === undefined) return undefined;
  const metadata = decodeMetadata(bytes);
  const digest = metadataText(metadata, CACHED.digest);
  const manifest = metadataText(metadata, CACHED.manifest);
  return digest === undefined || manifest === undefined
    ? undefined
    : describe(digest, manifest, metadataText(metadata, CACHED.config));
}

/** Keeps an update beside a merge commit, or with `undefined` forgets it; other detached metadata (signatures) stays. Commit point: a rename. */
export function cacheUpdate(repo: Repo, commit: string, update: ImageDescription | undefined): void {
  const bytes = repo.readDetachedMetadata(commit);
  const metadata = bytes === undefined ? new Map<string, Variant>() : decodeMetadata(bytes);
  const before = metadata.size;
  for (const key of Object.values(CACHED)) metadata.delete(key);
  if (update) {
    metadata.set(CACHED.digest, new Variant("s", update.digest));
    metadata.set(CACHED.manifest, new Variant("s", canonicalJson(update.manifest.raw)));
    if (update.config) metadata.set(CACHED.config, new Variant("s", canonicalJson(update.config.raw)));
  } else if (metadata.size === before) {
    return;
  }
  repo.writeDetachedMetadata(commit, metadata.size === 0 ? null : encodeMetadata(metadata));
}
