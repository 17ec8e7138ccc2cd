/** Commit objects: `(a{sv}aya(say)sstayay)` (ostree-core.h, OSTREE_COMMIT_GVARIANT_FORMAT). */
import type { Bytes } from "../sys/libc.ts";
import { decode, encode, type Variant } from "../codec/gvariant.ts";
import { isChecksum } from "./names.ts";

/** Metadata, parent, related objects, subject, body, timestamp (big-endian), root dirtree, root dirmeta. */
export const COMMIT_TYPE = "(a{sv}aya(say)sstayay)";

/** A commit object, taken apart. Encoding it again gives the same bytes. */
export interface Commit {
  /** `a{sv}`, in the order of the object (a part of the checksum). */
  readonly metadata: ReadonlyMap<string, Variant>;
  /** Checksum of the parent commit. */
  readonly parent: string | undefined;
  /** Never used by ostree, yet part of the format: names and checksums. */
  readonly related: readonly (readonly [string, Bytes])[];
  readonly subject: string;
  readonly body: string;
  /** Seconds since 1970, UTC. */
  readonly timestampSeconds: number;
  /** Checksum of the root's dirtree object. */
  readonly rootTree: string;
  /** Checksum of the root's dirmeta object. */
  readonly rootMeta: string;
}

/** What {@linkcode newCommit} must be told; everything else of a commit has an empty default. */
export type CommitFields = Pick<Commit, "timestampSeconds" | "rootTree" | "rootMeta"> & Partial<Commit>;

/** A commit from the fields that matter, the others empty. */
export function newCommit(fields: CommitFields): Commit {
  return { metadata: new Map(), parent: undefined, related: [], subject: "", body: "", ...fields };
}

/** The order of a number's eight bytes turned round: the timestamp stands big-endian in a little-endian variant. */
function swapped(value: bigint): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value, true);
  return view.getBigUint64(0, false);
}

type Entries = (readonly [string, Variant])[];
type Fields = [Entries, Bytes, (readonly [string, Bytes])[], string, string, bigint, Bytes, Bytes];

/**
 * The serialised object; its SHA-256 is the commit's checksum.
 * @throws {SyntaxError} when a checksum is none
 * @throws {RangeError} when the timestamp is no whole number of seconds
 */
export function encodeCommit(commit: Commit): Bytes {
  const seconds = commit.timestampSeconds;
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw new RangeError(`${seconds} is no timestamp of a commit`);
  const fields: Fields = [
    [...commit.metadata],
    commit.parent === undefined ? new Uint8Array(0) : checksumBytes(commit.parent),
    [...commit.related],
    commit.subject,
    commit.body,
    swapped(BigInt(seconds)),
    checksumBytes(commit.rootTree),
    checksumBytes(commit.rootMeta),
  ];
  return encode(COMMIT_TYPE, fields);
}

/**
 * Takes a commit object apart.
 * @throws {RangeError} when it is no commit in normal form
 */
export function decodeCommit(bytes: Bytes): Commit {
  const [metadata, parent, related, subject, body, timestamp, tree, meta] = decode(COMMIT_TYPE, bytes) as Fields;
  const seconds = swapped(timestamp);
  if (seconds > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError("A commit's timestamp is out of range");
  return {
    metadata: toMap(metadata),
    parent: parent.length === 0 ? undefined : checksumOf("parent", parent),
    related,
    subject,
    body,
    timestampSeconds: Number(seconds),
    rootTree: checksumOf("root tree", tree),
    rootMeta: checksumOf("root directory", meta),
  };
}

/** Two values under one key could be read in two ways. */
function toMap(entries: Entries): Map<string, Variant> {
  const map = new Map(entries);
  if (map.size !== entries.length) throw new RangeError("A commit's metadata has a key twice");
  return map;
}

function checksumBytes(checksum: string): Bytes {
  if (!isChecksum(checksum)) throw new SyntaxError(`"${checksum}" is no checksum of an ostree object`);
  return Uint8Array.fromHex(checksum);
}

function checksumOf(what: string, bytes: Bytes): string {
  if (bytes.length !== 32) throw new RangeError(`The ${what} of a commit is no checksum`);
  return bytes.toHex();
}

/** The `a{sv}` of commit metadata or detached metadata, serialised. */
export function encodeMetadata(metadata: ReadonlyMap<string, Variant>): Bytes {
  return encode("a{sv}", [...metadata]);
}

/** The entries of a serialised `a{sv}`. @throws {RangeError} when it is none in normal form */
export function decodeMetadata(bytes: Bytes): Map<string, Variant> {
  return toMap(decode("a{sv}", bytes) as Entries);
}

/** A text of commit metadata; undefined where the key is not there or is no text. */
export function metadataText(metadata: ReadonlyMap<string, Variant>, key: string): string | undefined {
  const value = metadata.get(key);
  return value?.type === "s" ? value.value as string : undefined;
}
