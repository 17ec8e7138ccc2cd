/** Texts of tools, registries and images may hold anything; what a terminal would obey is shown as `\u001b` instead. */

// C0 and C1 controls, line and paragraph separators, and what changes the direction of writing.
// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text on one line: line ends become `; `, other control characters their escapes. */
export function printable(text: string): string {
  const line = text.trim().replaceAll(/\s*[\r\n]+\s*/g, "; ");
  return line.replaceAll(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
