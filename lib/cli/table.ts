/** Text in columns. */
import { unicodeWidth } from "@std/cli/unicode-width";

/** Rows below a head, columns as wide as their widest cell and two spaces apart, one line each. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? "")].map(unicodeWidth))
  );
  return [head, ...rows].map((row) =>
    row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + " ".repeat(widths[column]! - unicodeWidth(cell))
    ).join("  ") + "\n"
  ).join("");
}
