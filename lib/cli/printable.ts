/** Texts for a terminal, on one line. */
import { escapeControls } from "../sys/controls.ts";

/** The text on one line: line ends become `; `, other control characters their escapes. */
export function printable(text: string): string {
  return escapeControls(text.trim().replaceAll(/\s*[\r\n]+\s*/g, "; "));
}
