/**
 * How a whole disk is divided, as sfdisk(8) reads it. Source: row I1; types from the Discoverable Partitions Specification
 * (https://uapi-group.org/specifications/specs/discoverable_partitions_specification/) and, for the BIOS boot partition, GRUB's manual.
 */
import { UserError } from "../sys/errors.ts";

/** What the disk is for. */
export interface PartitionRequest {
  /** As Rust and Deno name it. */
  readonly architecture: string;
  /** Undefined: the rest of the disk. */
  readonly rootSizeMiB?: number | undefined;
  readonly espSizeMiB?: number;
  /** A file system of its own for /boot, for a root that the boot loader cannot read. */
  readonly withBootPartition?: boolean;
}

/** A partition table; numbers of partitions count from 1. */
export interface PartitionTable {
  /** For the standard input of `sfdisk`. Identifiers are left to it. */
  readonly text: string;
  readonly rootNumber: number;
  readonly espNumber: number;
  readonly bootNumber: number | undefined;
}

/** Holds the core of GRUB on machines with BIOS. The word `bootable` is the reference's; sfdisk 2.38 does nothing with it in a GPT. */
const BIOS_BOOT = `size=1MiB, bootable, type=21686148-6449-6E6F-744E-656564454649, name="BIOS-BOOT"`;
const ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

/** Types by which a root is found without root=. */
const ROOT_TYPES: Readonly<Record<string, string>> = {
  x86_64: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
  aarch64: "B921B045-1DF0-41C3-AF44-4C6F280D3FAE",
};

const ESP_SIZE_MIB = 512;
/** Like the reference's: with the table itself it is below 512. */
const BOOT_SIZE_MIB = 510;
/** A kernel, its initramfs and little else; what is smaller was most likely meant in another unit. */
const LEAST_ROOT_MIB = 512;

/**
 * BIOS boot (x86_64 alone), EFI system partition, /boot where it is wanted, root.
 * @throws {UserError} for an architecture that is not known, or a root that no system fits in
 */
export function partitionTable(request: PartitionRequest): PartitionTable {
  const { architecture, rootSizeMiB, espSizeMiB = ESP_SIZE_MIB, withBootPartition = false } = request;
  const rootType = Object.hasOwn(ROOT_TYPES, architecture) ? ROOT_TYPES[architecture] : undefined;
  if (rootType === undefined) throw new UserError(`Cannot divide a disk for the architecture "${architecture}"`);
  const lines: string[] = [];
  const add = (line: string) => lines.push(line);
  if (architecture === "x86_64") add(BIOS_BOOT);
  const espNumber = add(`size=${espSizeMiB}MiB, type=${ESP}, name="EFI-SYSTEM"`);
  const bootNumber = withBootPartition ? add(`size=${BOOT_SIZE_MIB}MiB, name="boot"`) : undefined;
  const rootNumber = add(`${rootSize(rootSizeMiB)}type=${rootType}, name="root"`);
  return { text: ["label: gpt", ...lines, ""].join("\n"), espNumber, bootNumber, rootNumber };
}

function rootSize(sizeMiB: number | undefined): string {
  if (sizeMiB === undefined) return "";
  if (sizeMiB >= LEAST_ROOT_MIB) return `size=${sizeMiB}MiB, `;
  throw new UserError(`A root partition of ${sizeMiB} MiB is too small, expected at least ${LEAST_ROOT_MIB}`, {
    hint: "A number without a unit counts MiB; write 20G for 20 GiB",
  });
}

const UNITS_MIB: Readonly<Record<string, number>> = { "": 1, M: 1, G: 1024, T: 1024 ** 2 };

/**
 * `20G`, `20GiB`, `512M`, `1T`; a plain number counts MiB.
 * @throws {SyntaxError} when it is no size
 * @throws {RangeError} when it has more bytes than a number can say
 */
export function parseSizeMiB(text: string): number {
  const [, digits, unit = ""] = /^(\d+)(?:([MGT])(?:iB)?)?$/.exec(text) ?? [];
  if (digits === undefined) throw new SyntaxError(`Size "${text}" is no number with M, G or T, such as 20G`);
  const sizeMiB = Number(digits) * UNITS_MIB[unit]!;
  if (!Number.isSafeInteger(sizeMiB * 1024 ** 2)) throw new RangeError(`Size "${text}" is more than a disk can have`);
  return sizeMiB;
}
