/**
 * JSON with one spelling for each value (RFC 8785): members sorted by UTF-16 code units, no spaces, texts escaped only where JSON must.
 * What bootc stores in commit metadata and prints for `--json`.
 */

/**
 * Members that are undefined are left out, as JSON.stringify does.
 * @throws {TypeError} on a value that JSON has no spelling for (a function, a bigint, NaN)
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`No JSON for ${value}`);
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`No JSON for ${typeof value}`);
  return text;
}
