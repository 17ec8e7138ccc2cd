/** `bootc status` for people. Pure: a document in, text out. Source: formats.md 3.14 (bootc `status.rs` at 534c76ea). */
import { escapeControls } from "../sys/controls.ts";
import { UserError } from "../sys/errors.ts";
import type { BootEntry, Host, HostStatus, ImageStatus, UsrOverlay } from "./spec.ts";
import { imageText } from "./spec_image.ts";
import { timestampSeconds } from "./timestamp.ts";

/** How the text is wanted. */
export interface RenderOptions {
  /** Also the rows that only a debugger asks for. */
  readonly verbose?: boolean;
  /**
   * The document is of a sysroot that is not running: its first deployment stands in for the booted one.
   * Never for a document that was read from a file.
   */
  readonly unbooted?: boolean;
}

/** @throws {UserError} unless the version of `--format-version` is one that there is */
export function checkFormatVersion(version: number): void {
  if (version === 0 || version === 1) return;
  throw new UserError(`Unsupported format version: ${version}`, { hint: "Use 1, or leave the option out" });
}

/** The document with nothing but the booted deployment (of a sysroot that is not running: the default one). */
export function onlyBooted(host: Host, options: Pick<RenderOptions, "unbooted"> = {}): Host {
  const otherDeployments = options.unbooted ? host.status.otherDeployments.slice(0, 1) : [];
  return { ...host, status: { ...host.status, staged: null, rollback: null, otherDeployments } };
}

type Slot = "staged" | "booted" | "rollback" | "other" | "default";

const IMAGE_HEADS: Record<Slot, string> = {
  staged: "  Staged image",
  booted: "● Booted image",
  rollback: "  Rollback image",
  other: "   Other image",
  default: "  Default image",
};

const OSTREE_HEADS: Record<Slot, string> = {
  staged: "  Staged ostree",
  booted: "● Booted ostree",
  rollback: "  Rollback ostree",
  other: " Other ostree",
  default: "  Default ostree",
};

type Row = readonly [label: string, value: string];

/** The whole text, with a newline at the end of each line. @throws {SyntaxError} when a timestamp is none */
export function renderHost(host: Host, options: RenderOptions = {}): string {
  const blocks = options.unbooted ? unbootedBlocks(host.status) : bootedBlocks(host.status);
  if (blocks.length === 0) return "System is not deployed via bootc.\n";
  return blocks.map(([slot, entry]) => renderEntry(slot, entry, host.status, options.verbose ?? false)).join("\n");
}

function bootedBlocks(status: HostStatus): [Slot, BootEntry][] {
  if (status.booted === null) return [];
  const slots: [Slot, BootEntry | null][] = [
    ["staged", status.staged],
    ["booted", status.booted],
    ["rollback", status.rollback],
    ...status.otherDeployments.map((entry): [Slot, BootEntry] => ["other", entry]),
  ];
  return slots.filter((block): block is [Slot, BootEntry] => block[1] !== null);
}

function unbootedBlocks(status: HostStatus): [Slot, BootEntry][] {
  const [first, ...rest] = status.otherDeployments;
  if (first === undefined) return [];
  const rollback = rest.find((entry) => entry.ostree?.stateroot === first.ostree?.stateroot);
  const ordered = rollback === undefined ? rest : [rollback, ...rest.filter((entry) => entry !== rollback)];
  return [
    ["default", first],
    ...ordered.map((entry): [Slot, BootEntry] => [entry === rollback ? "rollback" : "other", entry]),
  ];
}

function renderEntry(slot: Slot, entry: BootEntry, status: HostStatus, verbose: boolean): string {
  if (entry.image !== null) {
    const head = IMAGE_HEADS[slot];
    const rows = imageRows(slot, entry, entry.image, status, verbose);
    return layOut(`${head}: ${imageText(entry.image.image)}`, [...head].length, rows);
  }
  if (entry.ostree !== null) {
    const head = OSTREE_HEADS[slot];
    const rows = ostreeRows(slot, entry, entry.ostree.checksum, status, verbose);
    // Trap T9: upstream counts bytes here, so that the three bytes of "●" push the rows two columns to the right.
    return layOut(head, new TextEncoder().encode(head).length, rows);
  }
  return `Current ${slot} state is unknown\n`;
}

function layOut(head: string, width: number, rows: readonly Row[]): string {
  const lines = [head, ...rows.map(([label, value]) => `${label.padStart(width)}: ${value}`)];
  // Names and versions come from images.
  return lines.map((line) => `${escapeControls(line)}\n`).join("");
}

function imageRows(slot: Slot, entry: BootEntry, image: ImageStatus, status: HostStatus, verbose: boolean): Row[] {
  return [
    ["Digest", image.architecture === "" ? image.imageDigest : `${image.imageDigest} (${image.architecture})`],
    ...(entry.composefs ? [["Verity", entry.composefs.verity] as const] : []),
    ...versionRows(image),
    ...pinnedRows(entry),
    ...updateRows(image, entry.cachedUpdate),
    ...overlayRows(slot, status.usrOverlay),
    ...(verbose ? verboseRows(slot, entry, image) : []),
  ];
}

function ostreeRows(slot: Slot, entry: BootEntry, checksum: string, status: HostStatus, verbose: boolean): Row[] {
  return [
    ["Commit", checksum],
    ...pinnedRows(entry),
    ...overlayRows(slot, status.usrOverlay),
    ...(verbose ? verboseRows(slot, entry, null) : []),
  ];
}

function versionText(version: string, timestamp: string | null): string {
  return timestamp === null ? version : `${version} (${timestampSeconds(timestamp)})`;
}

function versionRows({ version, timestamp }: ImageStatus): Row[] {
  if (version !== null) return [["Version", versionText(version, timestamp)]];
  return timestamp === null ? [] : [["Timestamp", timestampSeconds(timestamp)]];
}

function pinnedRows(entry: BootEntry): Row[] {
  return entry.pinned ? [["Pinned", "yes"]] : [];
}

function updateRows(image: ImageStatus, update: ImageStatus | null): Row[] {
  if (update === null || update.imageDigest === image.imageDigest) return [];
  return [
    update.version === null
      ? ["Update", "Available"]
      : ["UpdateVersion", versionText(update.version, update.timestamp)],
    ["UpdateDigest", update.imageDigest],
  ];
}

function overlayRows(slot: Slot, overlay: UsrOverlay | null): Row[] {
  if (slot !== "booted" || overlay === null) return [];
  const access = overlay.accessMode === "readWrite" ? "read/write" : "read-only";
  return [["/usr overlay", `${overlay.persistence}, ${access}`]];
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

/** The commit is told here for images only: a plain ostree deployment has it in its first row. */
function verboseRows(slot: Slot, entry: BootEntry, image: ImageStatus | null): Row[] {
  const ostree: Row[] = entry.ostree === null ? [] : [
    ["StateRoot", entry.ostree.stateroot],
    ["Deploy serial", String(entry.ostree.deploySerial)],
    ["Staged", yesNo(slot === "staged")],
    ...(image === null ? [] : [["Commit", entry.ostree.checksum] as const]),
  ];
  return [
    ...ostree,
    ...(image === null ? [] : signatureRows(image)),
    ["Soft-reboot", yesNo(entry.softRebootCapable)],
    ...(slot === "staged" ? [["Download-only", yesNo(entry.downloadOnly)] as const] : []),
  ];
}

function signatureRows({ image: { signature } }: ImageStatus): Row[] {
  if (signature === undefined) return [];
  if (typeof signature === "object") return [["Signature", `ostree-remote:${signature.ostreeRemote}`]];
  return [["Signature", signature === "containerPolicy" ? "container-policy" : "insecure"]];
}
