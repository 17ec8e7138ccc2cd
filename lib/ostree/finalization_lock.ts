/** The file that keeps a staged deployment from being applied at shutdown, for a libostree that has no other word for it. */
import { exists } from "../sys/exists.ts";

/** libostree before 2023.8 knows the lock as this file; newer ones as a key of the staged state, and honour both. */
const FINALIZATION_LOCK_FILE = "/run/ostree/staged-deployment-locked";

/** Whether it is there. */
export function isLockedByFile(): boolean {
  return exists(FINALIZATION_LOCK_FILE);
}

/** Makes it. A reboot removes it, as it does what is staged. */
export function touchLockFile(): void {
  Deno.mkdirSync("/run/ostree", { recursive: true });
  Deno.writeFileSync(FINALIZATION_LOCK_FILE, new Uint8Array(0), { mode: 0o640 });
}

/** Removes it where it is there. */
export function removeLockFile(): void {
  try {
    Deno.removeSync(FINALIZATION_LOCK_FILE);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
