/** Images that an image is bound to: they belong to it, and are to be on the host before it boots. */
import { UserError } from "../sys/errors.ts";

/** Where they come from. */
export type BoundImages = "stored" | "skip" | "pull";

/** Where an image names them, from its root. Source: formats.md 3.13. */
export const BOUND_IMAGES_DIRECTORY = "usr/lib/bootc/bound-images.d";

/**
 * Refuses an image that has some, unless they are to be left out: a host without them starts, and its services do not.
 * @throws {UserError} naming the files
 */
export function requireNoBoundImages(names: readonly string[] | undefined, wanted: BoundImages): void {
  if (wanted === "skip" || names === undefined || names.length === 0) return;
  throw new UserError(`Cannot install the images that this one is bound to: ${names.toSorted().join(", ")}`, {
    hint: "Give --bound-images skip, and pull them on the host",
  });
}
