/**
 * Which units a boot needs that no package can enable beforehand: what systemd's generators are for. Source: systemd.generator(7); the conditions are the reference's
 * (`generator.rs` of bootc 1.16).
 */
import { FSTAB_MAX_BYTES, needsEdit } from "./fstab_text.ts";
import { readOnlyOverlay } from "./read_mounts.ts";

/** What is known of a host when systemd asks. */
export interface BootFacts {
  /** It was booted from an ostree deployment, and has its /sysroot. */
  readonly ostreeBooted: boolean;
  /** Units of ours that are installed: another is never enabled. */
  readonly installed: ReadonlySet<string>;
  readonly hasShadow: boolean;
  /** An installation beside another system left word to remove the rest of that. */
  readonly cleanUp: boolean;
  /** The root is a composefs, which nothing can make writable, and its fstab still says otherwise. */
  readonly fstabNeedsEdit: boolean;
}

/** What is to be made, by its path in the directory for units. */
export type GeneratedUnit =
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "file"; readonly path: string; readonly content: string };

const UNIT_DIRECTORY = "/usr/lib/systemd/system";
const SHADOW_SYNC = "bootc-sysusers-shadow-sync.service";
const STATUS_UNITS = ["bootc-status-updated-onboot.target", "bootc-status-updated.path"];
const CLEAN_UP = "bootc-destructive-cleanup.service";
const OUR_UNITS = [SHADOW_SYNC, ...STATUS_UNITS, CLEAN_UP];
/** Below /sysroot. */
const CLEAN_UP_STAMP = "etc/bootc-destructive-cleanup";

const FSTAB_EDIT = "bootc-fstab-edit.service";
const FSTAB_EDIT_UNIT = `# Made by bootc-systemd-generator
[Unit]
Description=Mount the root file system read-only in /etc/fstab
Documentation=man:bootc(8)
DefaultDependencies=no
ConditionPathIsReadWrite=/etc
After=systemd-fsck-root.service
Before=local-fs-pre.target local-fs.target shutdown.target systemd-remount-fs.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/bootc internals fixup-etc-fstab
`;

/** The units for a boot; none on a host that ostree did not boot. */
export function planUnits(facts: BootFacts): GeneratedUnit[] {
  if (!facts.ostreeBooted) return [];
  const enabled = [
    ...(facts.hasShadow ? [{ target: "sysinit.target", unit: SHADOW_SYNC }] : []),
    ...[...STATUS_UNITS, ...(facts.cleanUp ? [CLEAN_UP] : [])].map((unit) => ({ target: "multi-user.target", unit })),
  ];
  const links = enabled.filter(({ unit }) => facts.installed.has(unit)).map(({ target, unit }) => ({
    kind: "link" as const,
    path: `${target}.wants/${unit}`,
    target: `${UNIT_DIRECTORY}/${unit}`,
  }));
  if (!facts.fstabNeedsEdit) return links;
  return [
    ...links,
    { kind: "file", path: FSTAB_EDIT, content: FSTAB_EDIT_UNIT },
    { kind: "link", path: `local-fs-pre.target.wants/${FSTAB_EDIT}`, target: `../${FSTAB_EDIT}` },
  ];
}

/** Looks at the host whose root is the directory `root`, "/" for the running one; `mountinfo` is the text of /proc/self/mountinfo. */
export async function readBootFacts(root: string, mountinfo: string): Promise<BootFacts> {
  const has = async (path: string) => await statOf(`${root}/${path}`) !== undefined;
  const installed = new Set<string>();
  for (const unit of OUR_UNITS) if (await has(`${UNIT_DIRECTORY}/${unit}`)) installed.add(unit);
  return {
    ostreeBooted: await has("run/ostree-booted") && await has("sysroot"),
    installed,
    hasShadow: await has("etc/shadow"),
    cleanUp: await has(`sysroot/${CLEAN_UP_STAMP}`),
    fstabNeedsEdit: readOnlyOverlay(mountinfo, root) && needsEdit(await readFstab(`${root}/etc/fstab`)),
  };
}

async function readFstab(path: string): Promise<string> {
  // A boot must not wait at a FIFO, nor for a file that does not end.
  const found = await statOf(path);
  if (!found?.isFile || found.size > FSTAB_MAX_BYTES) return "";
  return new TextDecoder().decode(await Deno.readFile(path));
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
