/** Makes the status document of a sysroot. Nothing is written, and nothing but what is given is read. Source: formats.md 3.9. */
import { parseOstreeImageReference } from "../oci/reference.ts";
import { type ImageFacts, imageStatus } from "./image_state.ts";
import { type BootEntry, emptyHost, type Host, type HostSpec, type ImageReference, type UsrOverlay } from "./spec.ts";
import { specImage } from "./spec_image.ts";

/** What is read of a deployment (`lib/ostree/sysroot.ts` has more). */
export interface HostDeployment {
  /** Absolute path of its root directory. */
  readonly path: string;
  readonly stateroot: string;
  readonly checksum: string;
  readonly serial: number;
  readonly pinned: boolean;
  readonly staged: boolean;
  readonly finalizationLocked: boolean;
  readonly softRebootCapable: boolean;
  /** Undefined where the file is gone; reading either value may throw where it is damaged. */
  readonly origin: { readonly imageReference: string | undefined; readonly incompatible: boolean } | undefined;
}

/** What is read of a sysroot. */
export interface HostSysroot<Deployment extends HostDeployment = HostDeployment> {
  readonly booted: Deployment | undefined;
  /** In boot order, a staged one first. */
  deployments(): readonly Deployment[];
}

/** What the document needs from elsewhere. */
export interface HostSources {
  /** What the merge commit of a deployment says of its image; undefined where the commit holds none. May throw on damage. */
  readonly imageFacts: (checksum: string) => ImageFacts | undefined;
  /** Whether a soft reboot is possible into a deployment that libostree thinks capable; it is when not given. */
  readonly softReboot?: (deployment: HostDeployment) => boolean;
  readonly usrOverlay?: UsrOverlay | null;
  readonly readOnly?: boolean;
  /** Told of each part that could not be read; the document is made without it. */
  readonly problem?: (message: string, cause: unknown) => void;
}

interface Reading {
  readonly entry: BootEntry;
  /** What the origin names, also where the stored image cannot be read. */
  readonly tracked: ImageReference | null;
}

/** Where each deployment of a sysroot goes in the document. */
export interface Slots<Deployment> {
  readonly staged: Deployment | undefined;
  readonly booted: Deployment | undefined;
  readonly rollback: Deployment | undefined;
  readonly others: readonly Deployment[];
  /** The rollback deployment boots next. */
  readonly rollbackQueued: boolean;
}

/** Sorts deployments into slots; without a booted one all of them are others, in boot order. */
export function slotsOf<Deployment extends HostDeployment>(sysroot: HostSysroot<Deployment>): Slots<Deployment> {
  const { booted } = sysroot;
  const all = sysroot.deployments();
  if (booted === undefined) {
    return { staged: undefined, booted, rollback: undefined, others: all, rollbackQueued: false };
  }
  const staged = all.find((each) => each.staged);
  const onDisk = all.filter((each) => !each.staged);
  const isBooted = (each: Deployment) => sameDeployment(each, booted);
  const rollback = onDisk.find((each) => !isBooted(each) && each.stateroot === booted.stateroot);
  const others = onDisk.filter((each) => !isBooted(each) && each !== rollback);
  return { staged, booted, rollback, others, rollbackQueued: rollback !== undefined && onDisk[0] === rollback };
}

function sameDeployment(a: HostDeployment, b: HostDeployment): boolean {
  return a.stateroot === b.stateroot && a.checksum === b.checksum && a.serial === b.serial && a.staged === b.staged;
}

/**
 * The document. A damaged origin or image costs only its own part: the deployment is still in the document, its image null.
 * On a sysroot that is not running the first deployment in boot order gives the specification.
 */
export function buildHost(sysroot: HostSysroot, sources: HostSources): Host {
  const slots = slotsOf(sysroot);
  const read = (each: HostDeployment | undefined) => each && readDeployment(each, sources);
  const staged = read(slots.staged), booted = read(slots.booted), rollback = read(slots.rollback);
  const others = slots.others.map((each) => readDeployment(each, sources));
  const wanted = staged ?? booted ?? others[0];
  const spec: HostSpec = { image: wanted?.tracked ?? null, bootOrder: slots.rollbackQueued ? "rollback" : "default" };
  const empty = emptyHost();
  return {
    ...empty,
    spec,
    status: {
      staged: staged?.entry ?? null,
      booted: booted?.entry ?? null,
      rollback: rollback?.entry ?? null,
      otherDeployments: others.map(({ entry }) => entry),
      rollbackQueued: slots.rollbackQueued,
      type: booted?.entry.image ? "bootcHost" : null,
      usrOverlay: booted ? sources.usrOverlay ?? null : null,
      readOnly: sources.readOnly ?? false,
    },
  };
}

function readDeployment(deployment: HostDeployment, sources: HostSources): Reading {
  const name = `${deployment.stateroot} ${deployment.checksum}.${deployment.serial}`;
  const attempt = <Value>(what: string, read: () => Value, otherwise: Value): Value => {
    try {
      return read();
    } catch (cause) {
      // Whatever is wrong with one deployment, the others must still be seen: an operator repairs from what status shows.
      sources.problem?.(`Cannot read the ${what} of deployment "${name}"`, cause);
      return otherwise;
    }
  };
  const { reference, incompatible } = attempt("origin", () => readOrigin(deployment), NO_ORIGIN);
  const tracked = attempt(
    "image reference",
    () => reference ? specImage(parseOstreeImageReference(reference)) : null,
    null,
  );
  const facts = tracked && attempt("stored image", () => sources.imageFacts(deployment.checksum) ?? null, null);
  const softReboot = deployment.softRebootCapable &&
    attempt("SELinux policy", () => sources.softReboot?.(deployment) ?? true, false);
  return { tracked, entry: bootEntry(deployment, { incompatible, tracked, facts, softReboot }) };
}

const NO_ORIGIN = { reference: undefined, incompatible: false };

function readOrigin({ origin }: HostDeployment): { reference: string | undefined; incompatible: boolean } {
  return origin === undefined ? NO_ORIGIN : { reference: origin.imageReference, incompatible: origin.incompatible };
}

/** What was found out of a deployment. */
interface Findings {
  readonly incompatible: boolean;
  readonly tracked: ImageReference | null;
  readonly facts: ImageFacts | null;
  readonly softReboot: boolean;
}

function bootEntry(deployment: HostDeployment, { incompatible, tracked, facts, softReboot }: Findings): BootEntry {
  const cached = facts?.cachedUpdate;
  return {
    image: tracked && facts ? imageStatus(tracked, facts) : null,
    cachedUpdate: tracked && cached ? imageStatus(tracked, cached) : null,
    incompatible,
    pinned: deployment.pinned,
    softRebootCapable: softReboot,
    downloadOnly: deployment.staged && deployment.finalizationLocked,
    store: tracked === null ? null : "ostreeContainer",
    ostree: {
      stateroot: deployment.stateroot,
      checksum: deployment.checksum,
      deploySerial: deployment.serial,
    },
    composefs: null,
  };
}
