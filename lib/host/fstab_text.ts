/**
 * /etc/fstab as Anaconda writes it: it mounts `/` for writing, which a root that cannot be written (composefs) refuses at boot. A unit of the
 * generator has this mended once. See https://github.com/ostreedev/ostree/issues/3193.
 */

/** What the line says that the unit leaves behind; other programs look for it. */
const EDITED_STAMP = "Updated by bootc-fstab-edit.service";
const ANACONDA_STAMP = "Created by anaconda";

/** A file of more than this is no fstab; it is not read. */
export const FSTAB_MAX_BYTES = 16 << 20;

/** Whether Anaconda made this fstab and nobody has mended it yet. */
export function needsEdit(fstab: string): boolean {
  return fstab.includes(ANACONDA_STAMP) && !fstab.includes(EDITED_STAMP);
}

/** The fstab with `ro` among the options of `/`, behind a line that says so; every other line as it was. */
export function withReadOnlyRoot(fstab: string): string {
  return fstab.split(/(?<=\n)/).map((line) => readOnlyLine(line) ?? line).join("");
}

/** fstab(5): source, mount point, type, options and two numbers, between blanks. */
function readOnlyLine(line: string): string | undefined {
  if (line.trimStart().startsWith("#")) return undefined;
  const fields = line.split(/[ \t\n\f\r]+/).filter((field) => field !== "");
  const [, point, , options] = fields;
  if (point !== "/" || options === undefined || options.split(",").includes("ro")) return undefined;
  return `# ${EDITED_STAMP}\n${fields.with(3, `${options},ro`).join(" ")}\n`;
}
