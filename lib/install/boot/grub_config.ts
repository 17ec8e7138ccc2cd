/** What GRUB reads: its configuration in /boot, and the few lines that lead the firmware's GRUB there. */
import type { BootTarget } from "./boot_loader.ts";

/** Finds the file system with /boot by its UUID, whatever the firmware started from. */
export function searchConfig({ bootUuid, bootPrefix, grubParent = "" }: BootTarget): string {
  return [
    `search --no-floppy --fs-uuid --set=root ${bootUuid}`,
    `set prefix=($root)${bootPrefix}${grubParent}/grub`,
    "configfile $prefix/grub.cfg",
    "",
  ].join("\n");
}

/** In front of the entries in each grub.cfg of ours: a serial console where there is one, and modules that BIOS wants. */
const PREAMBLE = `# Written once at installation; the entries change without it.
if serial --unit=0 --speed=115200; then
  terminal_input console serial
  terminal_output console serial
fi
set timeout=1
if [ "$grub_platform" = pc ]; then
  insmod linux16
fi
`;

/** How the configuration starts. */
export interface GrubConfigOptions {
  /** Tells systemd which disk GRUB was started from, for a root that is found by the type of its partition. */
  readonly bli?: boolean;
}

function preamble({ bli = false }: GrubConfigOptions): string {
  return bli ? `${PREAMBLE}if [ "$grub_platform" = efi ]; then\n  insmod bli\nfi\n` : PREAMBLE;
}

/** ostree's syslinux backend writes `loader/syslinux.cfg` anew beside the BLS entries, before the link is swapped. */
export function syslinuxConfig(bootPrefix: BootTarget["bootPrefix"], options: GrubConfigOptions = {}): string {
  return `${preamble(options)}insmod syslinuxcfg\nsyslinux_configfile -s ${bootPrefix}/loader/syslinux.cfg\n`;
}

/** The entries of the Boot Loader Specification, in the order of their versions. */
export function blsConfig(bootPrefix: BootTarget["bootPrefix"], options: GrubConfigOptions = {}): string {
  return `${preamble(options)}insmod blscfg\ninsmod blsuki\nblscfg --path ($root)${bootPrefix}/loader/entries\n`;
}
