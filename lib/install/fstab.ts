/** What /etc/fstab says of an installed host. Source: formats.md 3.8, fstab(5). */
import { requireMountSource } from "./mount_source.ts";

/**
 * The line for /boot as a file system of its own. Read-only: ostree and the boot loader's updates write there, and mount it anew for that;
 * nothing else should.
 * @throws {UserError} when the source could not stand in it
 */
export function bootFstabLine(source: string): string {
  return `${requireMountSource(source)} /boot auto ro 0 0\n`;
}
