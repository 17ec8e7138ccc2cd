/** The status document as text: JSON or YAML in, JSON or YAML out. Source: formats.md 3.9 (bootc `spec.rs`, `status.rs` at 534c76ea). */
import { parse as parseYaml } from "@std/yaml/parse";
import { Fields } from "./document_fields.ts";
import { printable } from "./document_json.ts";
import { Tagged, writeYaml } from "./document_yaml.ts";
import {
  API_VERSION,
  type BootEntry,
  type ComposefsEntry,
  emptyHost,
  type Host,
  type HostSpec,
  type HostStatus,
  type ImageReference,
  type ImageSignature,
  type ImageStatus,
  KIND,
  OLD_API_VERSION,
} from "./spec.ts";
import { utcTimestamp } from "./timestamp.ts";
import { utf8Text } from "./utf8.ts";

const REMOTE_TAG = "!ostreeRemote";
/** `signature: !ostreeRemote fedora`: how YAML has what is `{"ostreeRemote":"fedora"}` in JSON. `@std/yaml` knows no tags but its own. */
const TAGGED = /((?:^|[{,-])[ \t]*signature:[ \t]+)!ostreeRemote[ \t]+("[^"\n]*"|'[^'\n]*'|[^\s,{}[\]"'#]+)/gm;

/**
 * Reads a document of version v1 or v1alpha1. What older versions did not write has its empty value; unknown keys are ignored.
 * @throws {SyntaxError} naming the key that is missing or wrong
 */
export function parseHost(input: string | Uint8Array): Host {
  const fields = new Fields(parseText(typeof input === "string" ? input : utf8Text(input)));
  fields.word("apiVersion", [API_VERSION, OLD_API_VERSION]);
  fields.word("kind", [KIND]);
  const name = fields.optional("metadata", (metadata) => metadata.stringOrNull("name"));
  const empty = emptyHost();
  return {
    ...empty,
    metadata: { name: name ?? empty.metadata.name },
    spec: fields.optional("spec", readSpec) ?? empty.spec,
    status: fields.optional("status", readStatus) ?? empty.status,
  };
}

/** JSON is not wholly YAML (a tab, a long key), so text that looks like JSON is read as such. */
function parseText(text: string): unknown {
  try {
    if (text.trimStart().startsWith("{")) return JSON.parse(text);
    // In the core schema a time stays text.
    return parseYaml(text.replace(TAGGED, "$1{ostreeRemote: $2}"), { schema: "core" });
  } catch (cause) {
    // Both parsers call themselves for each level.
    if (cause instanceof RangeError) throw new SyntaxError("Cannot read status document: too many levels");
    if (!(cause instanceof SyntaxError)) throw cause;
    // The YAML parser has an error class of its own, and shows the place in the text on further lines.
    const why = cause.message.split("\n", 1)[0]!.replace(/:$/, "");
    throw new SyntaxError("Cannot read status document: neither JSON nor YAML", { cause: new SyntaxError(why) });
  }
}

function readSpec(fields: Fields): HostSpec {
  return {
    image: fields.optional("image", readImageReference),
    bootOrder: fields.wordOrNull("bootOrder", ["default", "rollback"]) ?? "default",
  };
}

function readStatus(fields: Fields): HostStatus {
  return {
    staged: fields.optional("staged", readEntry),
    booted: fields.optional("booted", readEntry),
    rollback: fields.optional("rollback", readEntry),
    otherDeployments: fields.list("otherDeployments", readEntry),
    rollbackQueued: fields.flag("rollbackQueued"),
    type: fields.wordOrNull("type", ["bootcHost"]),
    usrOverlay: fields.optional("usrOverlay", (overlay) => ({
      accessMode: overlay.word("accessMode", ["readOnly", "readWrite"]),
      persistence: overlay.word("persistence", ["transient", "persistent"]),
    })),
    readOnly: fields.flag("readOnly"),
  };
}

function readEntry(fields: Fields): BootEntry {
  return {
    image: fields.optional("image", readImageStatus),
    cachedUpdate: fields.optional("cachedUpdate", readImageStatus),
    incompatible: fields.flag("incompatible"),
    pinned: fields.flag("pinned"),
    softRebootCapable: fields.flag("softRebootCapable"),
    downloadOnly: fields.flag("downloadOnly"),
    store: fields.wordOrNull("store", ["ostreeContainer"]),
    ostree: fields.optional("ostree", (ostree) => ({
      stateroot: ostree.stringOrNull("stateroot") ?? "",
      checksum: ostree.string("checksum"),
      deploySerial: ostree.count("deploySerial"),
    })),
    composefs: fields.optional("composefs", readComposefs),
  };
}

function readComposefs(fields: Fields): ComposefsEntry {
  return {
    verity: fields.string("verity"),
    bootType: fields.string("bootType"),
    bootloader: fields.string("bootloader"),
    bootDigest: fields.stringOrNull("bootDigest"),
    missingVerityAllowed: fields.flag("missingVerityAllowed"),
  };
}

function readImageStatus(fields: Fields): ImageStatus {
  return {
    image: readImageReference(fields.fields("image")),
    version: fields.stringOrNull("version"),
    timestamp: readTimestamp(fields),
    imageDigest: fields.string("imageDigest"),
    architecture: fields.stringOrNull("architecture") ?? "",
  };
}

function readTimestamp(fields: Fields): string | null {
  const text = fields.stringOrNull("timestamp");
  try {
    return text === null ? null : utcTimestamp(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return fields.reject("timestamp", `a time such as "2023-10-14T19:22:15Z"`);
  }
}

function readImageReference(fields: Fields): ImageReference {
  const image = { image: fields.string("image"), transport: fields.string("transport") };
  const signature = readSignature(fields);
  return signature === undefined ? image : { ...image, signature };
}

function readSignature(fields: Fields): ImageSignature | undefined {
  const value = fields.value("signature") ?? null;
  if (typeof value !== "object") return fields.word("signature", ["containerPolicy", "insecure"]);
  return value === null ? undefined : { ostreeRemote: fields.fields("signature").string("ostreeRemote") };
}
/** YAML as serde_yaml lays it out, in the order of the specification, with a newline at the end. */
export function hostYaml(host: Host): string {
  return writeYaml(
    printable(
      host,
      (signature) => typeof signature === "string" ? signature : new Tagged(REMOTE_TAG, signature.ostreeRemote),
    ),
  );
}
