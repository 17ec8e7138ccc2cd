/** Image configurations: OCI image specification 1.1 "Image Configuration", which Docker's format agrees with where we read. */
import { type Digest, parseDigest } from "./digest.ts";
import { asArray, asObject, asOptionalString, asString, asStringMap, parseJsonObject } from "./json.ts";
import { LAYER_LIMIT, type Manifest } from "./manifest.ts";

/** How one step of the build came about. */
export interface HistoryEntry {
  /** RFC 3339, as the builder wrote it. */
  readonly created?: string;
  readonly createdBy?: string;
  readonly comment?: string;
  /** The step made no layer: the next entry without this flag belongs to the next layer. */
  readonly emptyLayer: boolean;
}

/** What an image says of itself. */
export interface ImageConfig {
  /** Go's name of the architecture ("amd64"); empty in an image that names none. */
  readonly architecture: string;
  readonly os: string;
  /** RFC 3339, as the builder wrote it. */
  readonly created?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Digests of the layers' uncompressed tars, lowest first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
  /** The parsed JSON itself, unknown members included. */
  readonly raw: unknown;
}

const HISTORY_LIMIT = 4 * LAYER_LIMIT;

/**
 * Takes bytes, text, or JSON that was parsed already.
 * @throws {SyntaxError} when a member that we read is of a wrong shape
 */
export function parseImageConfig(input: unknown): ImageConfig {
  const raw = parseJsonObject(input, "image configuration");
  const config = raw["config"] === undefined || raw["config"] === null ? {} : asObject(raw["config"], "config");
  const created = asOptionalString(raw["created"], "created of the configuration");
  return {
    architecture: asOptionalString(raw["architecture"], "architecture of the configuration") ?? "",
    os: asOptionalString(raw["os"], "os of the configuration") ?? "",
    ...(created === undefined ? {} : { created }),
    labels: asStringMap(config["Labels"], "labels of the configuration"),
    diffIds: parseDiffIds(raw["rootfs"]),
    history: parseHistory(raw["history"]),
    raw,
  };
}

function parseDiffIds(rootfs: unknown): Digest[] {
  const list = asObject(rootfs, "rootfs of the configuration")["diff_ids"];
  const ids = list === undefined || list === null ? [] : asArray(list, "diff_ids of the configuration");
  if (ids.length > LAYER_LIMIT) {
    throw new SyntaxError(`Too many diff_ids in the configuration: ${ids.length}, at most ${LAYER_LIMIT} are read`);
  }
  return ids.map((id, index) => parseDigest(asString(id, `diff_id ${index} of the configuration`)));
}

function parseHistory(value: unknown): HistoryEntry[] {
  if (value === undefined || value === null) return [];
  const list = asArray(value, "history of the configuration");
  if (list.length > HISTORY_LIMIT) {
    throw new SyntaxError(`Too long a history in the configuration: ${list.length} entries`);
  }
  return list.map((item, index) => {
    const what = `history entry ${index} of the configuration`;
    const entry = asObject(item, what);
    const created = asOptionalString(entry["created"], `created of ${what}`);
    const createdBy = asOptionalString(entry["created_by"], `created_by of ${what}`);
    const comment = asOptionalString(entry["comment"], `comment of ${what}`);
    return {
      ...(created === undefined ? {} : { created }),
      ...(createdBy === undefined ? {} : { createdBy }),
      ...(comment === undefined ? {} : { comment }),
      emptyLayer: entry["empty_layer"] === true,
    };
  });
}

const CREATED = "org.opencontainers.image.created";

/** The label `org.opencontainers.image.version`, else the older `version`; undefined where neither is given. */
export function imageVersion(config: ImageConfig): string | undefined {
  return ownText(config.labels, "org.opencontainers.image.version") ?? ownText(config.labels, "version");
}

/**
 * When the image was made, for its merge commit: the manifest's annotation `org.opencontainers.image.created`, else the
 * configuration's `created`. Undefined where neither is a time since 1970 (builders write the year 1 for "unknown").
 */
export function imageTimestamp(manifest: Manifest, config: ImageConfig): Date | undefined {
  return parseTimestamp(ownText(manifest.annotations ?? {}, CREATED)) ?? parseTimestamp(config.created);
}

/** A label map is an ordinary object: "constructor" must not be found in it. */
function ownText(map: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function parseTimestamp(text: string | undefined): Date | undefined {
  const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;
  if (text === undefined || !RFC3339.test(text)) return undefined;
  const date = new Date(text.toUpperCase().replace(" ", "T"));
  return date.getTime() >= 0 ? date : undefined;
}

/** Go's name for the architecture of this machine, as images carry it. */
export function ociArchitecture(): string {
  return Deno.build.arch === "aarch64" ? "arm64" : "amd64";
}
