/** What a merge commit's metadata says of its image, for the status document. Source: formats.md 3.6 and 3.9. */
import { type ImageConfig, imageVersion, parseImageConfig } from "../oci/config.ts";
import { parseDigest } from "../oci/digest.ts";
import type { ImageReference, ImageStatus } from "./spec.ts";
import { utcTimestamp } from "./timestamp.ts";

/** An image's status without its name, which the origin has. */
export type ImageDescription = Omit<ImageStatus, "image">;

/** What is known of a stored image. */
export interface ImageFacts extends ImageDescription {
  /** What `upgrade --check` found last; undefined where it never looked. */
  readonly cachedUpdate?: ImageDescription;
}

/** The values of commit metadata as they stand there; undefined where the key is missing. */
export interface StoredImage {
  /** `ostree.manifest-digest` */
  readonly manifestDigest: string;
  /** `ostree.container.image-config`; old writers left it out or wrote `null`. */
  readonly config: string | undefined;
  /** `ostree-ext.cached.*` of the detached metadata */
  readonly cached?: { readonly manifestDigest: string; readonly config: string | undefined } | undefined;
}

/** Reads what a merge commit has. A cached update that cannot be read counts as none. @throws {SyntaxError} when the stored image is damaged */
export function factsFromMetadata({ manifestDigest, config, cached }: StoredImage): ImageFacts {
  const facts = describe(manifestDigest, config);
  const cachedUpdate = cached && tryDescribe(cached.manifestDigest, cached.config);
  return cachedUpdate === undefined ? facts : { ...facts, cachedUpdate };
}

/** The facts of an image that was just looked at, before anything of it is stored. */
export function describeImage(imageDigest: string, config: ImageConfig): ImageDescription {
  return {
    version: imageVersion(config) ?? null,
    timestamp: imageTime(config),
    imageDigest,
    architecture: config.architecture,
  };
}

function describe(manifestDigest: string, configJson: string | undefined): ImageDescription {
  const imageDigest = parseDigest(manifestDigest);
  if (configJson === undefined || configJson.trim() === "null") {
    return { version: null, timestamp: null, imageDigest, architecture: "" };
  }
  return describeImage(imageDigest, parseImageConfig(configJson));
}

function tryDescribe(manifestDigest: string, configJson: string | undefined): ImageDescription | undefined {
  try {
    return describe(manifestDigest, configJson);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

const CREATED_LABEL = "org.opencontainers.image.created";

/** The label, else the configuration's own `created`; what is no time, or a time before 1970 ("unknown" to builders), is passed over. */
function imageTime(config: ImageConfig): string | null {
  const label = Object.hasOwn(config.labels, CREATED_LABEL) ? config.labels[CREATED_LABEL] : undefined;
  for (const text of [label, config.created]) {
    try {
      const time = text === undefined ? undefined : utcTimestamp(text);
      if (time !== undefined && time >= "1970") return time;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return null;
}

/** A whole entry of the document. */
export function imageStatus(image: ImageReference, description: ImageDescription): ImageStatus {
  const { version, timestamp, imageDigest, architecture } = description;
  return { image, version, timestamp, imageDigest, architecture };
}
