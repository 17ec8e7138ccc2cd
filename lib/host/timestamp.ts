/** RFC 3339 times of images, kept as text so that no fraction of a second is lost. */

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * The same instant in UTC, as chrono writes it: `2023-10-14T19:22:15Z`, a fraction with 3, 6 or 9 digits.
 * @throws {SyntaxError} when the text is no RFC 3339 time
 */
export function utcTimestamp(text: string): string {
  const [, date, time, fraction = "", zone] = RFC3339.exec(text) ?? [];
  const instant = new Date(`${date}T${time}${zone?.toUpperCase()}`);
  // A day that the month does not have rolls over instead of failing: 30 February.
  const sameDay = !Number.isNaN(instant.getTime()) &&
    new Date(`${date}T00:00:00Z`).toISOString().startsWith(date!);
  if (!sameDay) throw new SyntaxError(`Cannot read time "${text}": expected the form "2023-10-14T19:22:15Z"`);
  const digits = fraction.slice(0, 9).replace(/0+$/, "");
  const width = Math.ceil(digits.length / 3) * 3;
  const seconds = instant.toISOString().slice(0, 19);
  return width === 0 ? `${seconds}Z` : `${seconds}.${digits.padEnd(width, "0")}Z`;
}

/** {@linkcode utcTimestamp} for people: whole seconds, the fraction cut off. */
export function timestampSeconds(text: string): string {
  return utcTimestamp(text).replace(/\..*Z$/, "Z");
}
