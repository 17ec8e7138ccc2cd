/**
 * Image manifests: OCI image specification 1.1 "Image Manifest" and Docker's image manifest version 2, schema 2.
 * They come from a registry, so the shape is checked before anything is believed; unknown members are kept in `raw`.
 */
import { type Digest, parseDigest } from "./digest.ts";
import {
  asArray,
  asObject,
  asOptionalString,
  asString,
  asStringMap,
  type JsonObject,
  parseJsonObject,
} from "./json.ts";

/** A blob as a manifest promises it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the blob as it is stored: compressed. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One platform's image. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  /** Lowest layer first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The parsed JSON itself, unknown members included: what is stored with the commit. */
  readonly raw: unknown;
}

/** More layers than any builder makes (overlayfs stops at 500); keeps a hostile manifest from costing memory. */
export const LAYER_LIMIT = 2048;

const MANIFEST_TYPES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
const LIST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

/**
 * Takes bytes, text, or JSON that was parsed already.
 * @throws {SyntaxError} when it is no single image's manifest or one of its members is of a wrong shape
 */
export function parseManifest(input: unknown): Manifest {
  const raw = parseJsonObject(input, "image manifest");
  const mediaType = asOptionalString(raw["mediaType"], "mediaType of the manifest");
  if ((mediaType !== undefined && LIST_TYPES.includes(mediaType)) || raw["manifests"] !== undefined) {
    throw new SyntaxError("Expected the manifest of one image, got a list of manifests");
  }
  if (mediaType !== undefined && !MANIFEST_TYPES.includes(mediaType)) {
    throw new SyntaxError(`Unknown media type ${JSON.stringify(mediaType)} of an image manifest`);
  }
  if (raw["schemaVersion"] !== 2) {
    throw new SyntaxError(`Expected schemaVersion 2 of the manifest, got ${JSON.stringify(raw["schemaVersion"])}`);
  }
  return {
    schemaVersion: 2,
    ...(mediaType === undefined ? {} : { mediaType }),
    config: parseDescriptor(raw["config"], "the config of the manifest"),
    layers: parseLayers(raw["layers"]),
    ...annotationsOf(raw, "the manifest"),
    raw,
  };
}

function parseLayers(value: unknown): Descriptor[] {
  const list = asArray(value, "layers of the manifest");
  if (list.length > LAYER_LIMIT) {
    throw new SyntaxError(`Too many layers in the manifest: ${list.length}, at most ${LAYER_LIMIT} are read`);
  }
  const layers = list.map((layer, index) => parseDescriptor(layer, `layer ${index} of the manifest`));
  if (!Number.isSafeInteger(layers.reduce((bytes, layer) => bytes + layer.size, 0))) {
    throw new SyntaxError("The layers of the manifest are larger together than any disk");
  }
  return layers;
}

function parseDescriptor(value: unknown, what: string): Descriptor {
  const raw = asObject(value, what);
  const size = raw["size"];
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new SyntaxError(`Invalid size ${JSON.stringify(size)} of ${what}`);
  }
  return {
    mediaType: asString(raw["mediaType"], `mediaType of ${what}`),
    digest: parseDigest(asString(raw["digest"], `digest of ${what}`)),
    size,
    ...annotationsOf(raw, what),
  };
}

function annotationsOf(raw: JsonObject, what: string): { annotations?: Record<string, string> } {
  const value = raw["annotations"];
  return value === undefined || value === null ? {} : { annotations: asStringMap(value, `annotations of ${what}`) };
}
