/** Two places for GRUB's directory in /boot, so that a new one can be made whole while the firmware still starts the one in the other place. */
import { exists } from "../../sys/exists.ts";
import type { GrubParent } from "./boot_loader.ts";

/** In /boot, while a new one is made: its place. */
const MARK = ".bootc-grub";

/** The place that nothing boots from; after an attempt that did not come to its end, the one of that. */
export async function freeGrubParent(bootDirectory: string): Promise<GrubParent> {
  try {
    return await Deno.readTextFile(`${bootDirectory}/${MARK}`) === "/bootc" ? "/bootc" : "";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return exists(`${bootDirectory}/grub`) ? "/bootc" : "";
}

/** Remembers the place for the next attempt; whoever removes the other one removes this mark as well. */
export async function markGrubParent(bootDirectory: string, parent: GrubParent): Promise<void> {
  await Deno.writeTextFile(`${bootDirectory}/${MARK}`, parent);
}
