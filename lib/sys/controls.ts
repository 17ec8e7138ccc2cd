/** Texts of tools, registries and images may hold anything. */

// C0 and C1 controls, line and paragraph separators, and what changes the direction of writing.
// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** What a terminal would obey, or what would begin a line of its own, is shown as `\u001b` instead. */
export function escapeControls(text: string): string {
  return text.replaceAll(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
