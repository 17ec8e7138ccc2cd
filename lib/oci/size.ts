/** Sizes for people, as GLib's `g_format_size` (2.74) writes them in the C locale. */

const UNITS = ["kB", "MB", "GB", "TB", "PB", "EB"] as const;

/** "1 byte", "148 bytes", then one decimal in SI units behind a no-break space (U+00A0): "17.4\u00a0kB". */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  let factor = 1000;
  let unit = 0;
  while (bytes >= factor * 1000 && unit < UNITS.length - 1) {
    factor *= 1000;
    unit++;
  }
  return `${oneDecimal(bytes / factor)}\u00a0${UNITS[unit]}`;
}

/** `%.1f`: C rounds an exact tie to the even digit, where toFixed() rounds it up. */
function oneDecimal(value: number): string {
  const isTie = Number.isInteger(value * 4) && !Number.isInteger(value * 2);
  if (!isTie) return value.toFixed(1);
  const tenths = Math.floor(value * 10);
  return ((tenths % 2 === 0 ? tenths : tenths + 1) / 10).toFixed(1);
}
