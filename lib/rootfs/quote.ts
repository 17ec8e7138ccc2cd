/** Names from an image as a person can read them and a shell can take them, whatever bytes they hold. */
import { fromBinaryString } from "../ostree/objects.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The text of a binary string; undefined where it is no UTF-8. */
export function textOf(bytes: string): string | undefined {
  try {
    return utf8.decode(fromBinaryString(bytes));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

/** What may stand in a shell's word without quotes (as the reference has it). */
const PLAIN = /^[\p{Alphabetic}\p{N}/._,=:-]*$/u;
/** What a terminal would obey, or show otherwise than it is. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Each byte that is no printable ASCII as `\xHH`; `also` gets a backslash. */
function escapeBytes(bytes: string, also: string): string {
  return Array.from(bytes, (character) => {
    if (character === "\\" || character === also) return `\\${character}`;
    if (character >= " " && character <= "~") return character;
    return `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** A path (a binary string) as one word for a shell: bare, in `'...'`, or in `$'...'` where it holds a quote, a control character or no UTF-8. */
export function quotePath(path: string): string {
  const text = textOf(path);
  if (text === undefined || CONTROL.test(text) || text.includes("'")) return `$'${escapeBytes(path, "'")}'`;
  return PLAIN.test(text) ? text : `'${text}'`;
}

/** A name between double quotes, its bytes that are no UTF-8 as `\xFF` (as Rust's debug form of an OsString has them). */
export function debugName(name: string): string {
  // Runs of ASCII, of whole UTF-8 sequences, and single stray bytes.
  const pieces =
    name.match(/[\0-\x7f]+|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[^]/g) ?? [];
  const shown = pieces.map((piece) => {
    const text = textOf(piece);
    return text === undefined || CONTROL.test(text) || /^[\0-\x7f]/.test(piece) ? escapeBytes(piece, '"') : text;
  });
  return `"${shown.join("")}"`;
}
