/** What `rollback` and `edit` do, decided without doing it. Source: rows U16, U13 and trap T15. */
import { UserError } from "../sys/errors.ts";
import type { Host, HostSpec, ImageReference } from "./spec.ts";
import { sameImage } from "./spec_image.ts";

/** Enough of a deployment to tell it from others. */
export interface DeploymentId {
  readonly stateroot: string;
  readonly checksum: string;
  readonly serial: number;
  readonly staged: boolean;
}

/** A rollback that can be carried out. */
export interface RollbackPlan<Deployment extends DeploymentId> {
  /** To say before anything is written. */
  readonly notice: string | undefined;
  /** The new boot order, whole; a staged deployment is not in it, so that writing it discards that one. */
  readonly order: readonly Deployment[];
  /** The staged deployment that is lost. */
  readonly discarded: Deployment | undefined;
  /** The image that boots next, for the journal. */
  readonly image: ImageReference;
  /** To say when it is written. */
  readonly done: string;
}

/**
 * Decides a rollback from the document and the deployments it was made from, in boot order. On a booted host the rollback deployment
 * comes first, or the booted one again when that was so already; on a sysroot that is not running (nothing booted) the first
 * deployment and the next of its stateroot change places.
 * @throws {UserError} when there is nothing to go back to
 */
export function planRollback<Deployment extends DeploymentId>(
  host: Host,
  deployments: readonly Deployment[],
): RollbackPlan<Deployment> {
  const onDisk = deployments.filter((deployment) => !deployment.staged);
  const discarded = deployments.find((deployment) => deployment.staged);
  if (host.status.booted === null) return { ...planUnbooted(host, onDisk), discarded };
  const reverting = host.spec.bootOrder === "rollback";
  const booted = find(onDisk, host.status.booted.ostree);
  const rollback = find(onDisk, host.status.rollback?.ostree ?? null);
  if (booted === undefined || rollback === undefined) throw noRollback();
  const image = containerImage(host.status.rollback?.image?.image);
  const first = reverting ? booted : rollback, second = reverting ? rollback : booted;
  return {
    notice: reverting ? "notice: Reverting queued rollback state" : undefined,
    order: [first, second, ...onDisk.filter((other) => other !== booted && other !== rollback)],
    discarded,
    image: reverting ? host.status.booted.image?.image ?? image : image,
    done: reverting ? "Next boot: current deployment" : "Next boot: rollback deployment",
  };
}

function planUnbooted<Deployment extends DeploymentId>(
  host: Host,
  onDisk: readonly Deployment[],
): Omit<RollbackPlan<Deployment>, "discarded"> {
  const first = onDisk[0];
  const second = onDisk.find((other) => other !== first && other.stateroot === first?.stateroot);
  if (first === undefined || second === undefined) throw noRollback();
  const entry = host.status.otherDeployments.find(({ ostree }) => ostree !== null && find([second], ostree) === second);
  return {
    notice: undefined,
    order: onDisk.map((each) => each === first ? second : each === second ? first : each),
    image: containerImage(entry?.image?.image),
    done: "Next boot: rollback deployment",
  };
}

function noRollback(): UserError {
  return new UserError("No rollback available");
}

function containerImage(image: ImageReference | undefined): ImageReference {
  if (image === undefined) throw new UserError("Rollback is not container image based");
  return image;
}

function find<Deployment extends DeploymentId>(
  deployments: readonly Deployment[],
  entry: { stateroot: string; checksum: string; deploySerial: number } | null,
): Deployment | undefined {
  return deployments.find(({ stateroot, checksum, serial }) =>
    stateroot === entry?.stateroot && checksum === entry.checksum && serial === entry.deploySerial
  );
}

/** What an edited specification asks for. */
export type EditPlan =
  | { readonly kind: "unchanged"; readonly message: "Edit cancelled, no changes made." }
  | { readonly kind: "rollback" }
  | { readonly kind: "switch"; readonly image: ImageReference };

/**
 * Decides what an edit does. Only the specification is looked at.
 * @throws {UserError} when it asks for two things at once (T15), or for no image
 */
export function planEdit(before: HostSpec, after: HostSpec): EditPlan {
  const imageChanges = !sameImage(before.image, after.image);
  if (before.bootOrder !== after.bootOrder) {
    if (!imageChanges) return { kind: "rollback" };
    throw new UserError("Invalid state transition: rollback and image change", {
      hint: "Change the image and the boot order in two edits",
    });
  }
  if (!imageChanges) return { kind: "unchanged", message: "Edit cancelled, no changes made." };
  if (after.image === null) throw new UserError("Missing image in specification");
  return { kind: "switch", image: after.image };
}
