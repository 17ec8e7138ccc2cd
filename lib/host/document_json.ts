/** The status document as it is printed: which keys, in which order; and its JSON. Source: formats.md 3.9. */
import { canonicalJson } from "../oci/canonical_json.ts";
import type { YamlValue } from "./document_yaml.ts";
import type { BootEntry, Host, ImageReference, ImageSignature, ImageStatus } from "./spec.ts";

/** The document without the keys that are left out when empty; key order is that of YAML. */
/** The document in the order of the specification; `signature` writes what JSON and YAML spell differently. */
export function printable(host: Host, signature: (of: ImageSignature) => YamlValue): YamlValue {
  const reference = (image: ImageReference): YamlValue => ({
    image: image.image,
    transport: image.transport,
    ...(image.signature === undefined ? {} : { signature: signature(image.signature) }),
  });
  const image = (status: ImageStatus | null): YamlValue =>
    status && {
      image: reference(status.image),
      version: status.version,
      timestamp: status.timestamp,
      imageDigest: status.imageDigest,
      architecture: status.architecture,
    };
  const entry = (of: BootEntry | null): YamlValue =>
    of && {
      image: image(of.image),
      cachedUpdate: image(of.cachedUpdate),
      incompatible: of.incompatible,
      pinned: of.pinned,
      softRebootCapable: of.softRebootCapable,
      downloadOnly: of.downloadOnly,
      store: of.store,
      ostree: of.ostree &&
        { stateroot: of.ostree.stateroot, checksum: of.ostree.checksum, deploySerial: of.ostree.deploySerial },
      composefs: of.composefs && { ...of.composefs },
    };
  const { spec, status } = host;
  return {
    apiVersion: host.apiVersion,
    kind: host.kind,
    metadata: { name: host.metadata.name },
    spec: { image: spec.image && reference(spec.image), bootOrder: spec.bootOrder },
    status: {
      staged: entry(status.staged),
      booted: entry(status.booted),
      rollback: entry(status.rollback),
      ...(status.otherDeployments.length === 0 ? {} : { otherDeployments: status.otherDeployments.map(entry) }),
      rollbackQueued: status.rollbackQueued,
      type: status.type,
      usrOverlay: status.usrOverlay &&
        { accessMode: status.usrOverlay.accessMode, persistence: status.usrOverlay.persistence },
      readOnly: status.readOnly,
    },
  };
}

/** One line of canonical JSON: sorted keys, no spaces, no newline at the end. */
export function hostJson(host: Host): string {
  return canonicalJson(printable(host, (signature) => typeof signature === "string" ? signature : { ...signature }));
}
