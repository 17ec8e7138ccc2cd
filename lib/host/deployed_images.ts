/** Which images the deployments of a system root follow: what `prune-images` keeps. */
import { type ImageReference, parseOstreeImageReference } from "../oci/reference.ts";
import type { Sysroot } from "../ostree/sysroot.ts";
import { UserError } from "../sys/errors.ts";

/**
 * The images that the origins name, those of staged deployments too.
 * @throws {UserError} when an origin cannot be read: what it names might be removed otherwise
 */
export function deployedImages(sysroot: Sysroot): ImageReference[] {
  return sysroot.deployments().flatMap(({ origin, stateroot, checksum, serial }) => {
    const text = origin?.imageReference;
    if (text === undefined) return [];
    try {
      return [parseOstreeImageReference(text).image];
    } catch (cause) {
      throw new UserError(`Cannot read the origin of deployment "${checksum}.${serial}" of "${stateroot}"`, {
        cause,
        hint: "Mend or remove the deployment first",
      });
    }
  });
}
