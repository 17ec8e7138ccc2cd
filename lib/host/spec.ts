/**
 * The status document, `org.containers.bootc/v1`: the JSON that other programs read. Fields are added, never renamed or given
 * another meaning. Source: bootc `crates/lib/src/spec.rs` at 534c76ea.
 */

/** The version that is written; {@linkcode OLD_API_VERSION} is read as well. */
export const API_VERSION = "org.containers.bootc/v1";
/** What bootc wrote before its 1.0. */
export const OLD_API_VERSION = "org.containers.bootc/v1alpha1";
/** The only kind of document. */
export const KIND = "BootcHost";

/** What `bootc status` prints and `bootc edit` takes. */
export interface Host {
  apiVersion: typeof API_VERSION;
  kind: typeof KIND;
  metadata: { name: string };
  spec: HostSpec;
  status: HostStatus;
}

/** What the operator wants; the only part that `edit` honours. */
export interface HostSpec {
  /** The tracked image; null on a plain ostree host. */
  image: ImageReference | null;
  bootOrder: BootOrder;
}

/** `rollback` while the rollback deployment is the one that boots next. */
export type BootOrder = "default" | "rollback";

/** An image as the document spells it: no scheme in the name. */
export interface ImageReference {
  /** The name without its transport: `quay.io/example/os:latest`, or a path. */
  image: string;
  /** `registry`, `oci`, `containers-storage`, ... */
  transport: string;
  /** Absent where nothing is verified. */
  signature?: ImageSignature;
}

/** How an image is verified. `insecure` is read but never written. */
export type ImageSignature = "containerPolicy" | "insecure" | { ostreeRemote: string };

/** What is. */
export interface HostStatus {
  /** Waits for the next reboot. */
  staged: BootEntry | null;
  /** What runs; null where that is no deployment, as in a container. */
  booted: BootEntry | null;
  /** What `bootc rollback` leads to. */
  rollback: BootEntry | null;
  /** Deployments that have no slot, in boot order; the key is left out of JSON and YAML when there are none. */
  otherDeployments: BootEntry[];
  /** The rollback deployment boots next. */
  rollbackQueued: boolean;
  /** Null where nothing is booted, or what is booted is no container image. */
  type: "bootcHost" | null;
  /** Null while nothing lies over /usr. */
  usrOverlay: UsrOverlay | null;
  /** The file system that holds the deployments cannot be written at all (a live medium). */
  readOnly: boolean;
}

/** An overlay over the booted /usr. */
export interface UsrOverlay {
  accessMode: "readOnly" | "readWrite";
  persistence: "transient" | "persistent";
}

/** One deployment. */
export interface BootEntry {
  /** Null for a plain ostree deployment, and where the origin or the stored metadata cannot be read. */
  image: ImageStatus | null;
  /** What the last look at the registry found, not downloaded. */
  cachedUpdate: ImageStatus | null;
  /** rpm-ostree layers something on it: bootc refuses to upgrade it. */
  incompatible: boolean;
  /** Kept until somebody unpins it. */
  pinned: boolean;
  /** A restart of user space alone could lead to it. */
  softRebootCapable: boolean;
  /** Staged, but held back from the next boot. */
  downloadOnly: boolean;
  /** Where its image is stored; null for a plain ostree deployment. */
  store: "ostreeContainer" | null;
  /** Null only on composefs hosts. */
  ostree: OstreeEntry | null;
  /** Only in documents of composefs hosts; carried through, never made here. */
  composefs: ComposefsEntry | null;
}

/** An image that is stored or known. */
export interface ImageStatus {
  image: ImageReference;
  /** Its label `org.opencontainers.image.version`. */
  version: string | null;
  /** RFC 3339 in UTC. */
  timestamp: string | null;
  /** Of the platform's manifest, also behind a list. */
  imageDigest: string;
  /** As OCI names it; "" where an old document or an old image store does not say. */
  architecture: string;
}

/** Where libostree has a deployment. */
export interface OstreeEntry {
  /** The deployments that share one /var. */
  stateroot: string;
  /** Of the commit. */
  checksum: string;
  /** Tells deployments of one commit apart. */
  deploySerial: number;
}

/** Where a composefs host has a deployment. */
export interface ComposefsEntry {
  verity: string;
  bootType: string;
  bootloader: string;
  bootDigest: string | null;
  missingVerityAllowed: boolean;
}

/** The document of a machine on which nothing is deployed. */
export function emptyHost(): Host {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: "host" },
    spec: { image: null, bootOrder: "default" },
    status: {
      staged: null,
      booted: null,
      rollback: null,
      otherDeployments: [],
      rollbackQueued: false,
      type: null,
      usrOverlay: null,
      readOnly: false,
    },
  };
}
