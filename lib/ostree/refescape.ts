/** Any text (an image reference, a digest) as a name that ostree takes for a ref, and back. The escapes are those of ostree-ext. */

/** ostree-ext's `_%02X_`: at least two upper-case digits. */
const ESCAPE = /_(_|[0-9A-F]{2,6}_)/y;

/**
 * Escapes a text for use in a ref: ASCII letters, digits and `-` stay, `/` stays between a letter or digit and something more, `_` is
 * doubled, any other code point becomes `_HEX_`.
 * @throws {SyntaxError} for an empty text, or one with a NUL
 */
export function escapeRef(text: string): string {
  if (text === "") throw new SyntaxError("An empty text cannot be part of a ref");
  const points = [...text];
  let previousIsAlphanumeric = false;
  const parts = points.map((point, i) => {
    const slashMayStay = previousIsAlphanumeric && i < points.length - 1;
    previousIsAlphanumeric = /^[0-9A-Za-z]$/.test(point);
    if (previousIsAlphanumeric || point === "-" || (point === "/" && slashMayStay)) return point;
    if (point === "_") return "__";
    const code = point.codePointAt(0)!;
    if (code === 0) throw new SyntaxError(`A NUL character in ${JSON.stringify(text)}`);
    return `_${code.toString(16).toUpperCase().padStart(2, "0")}_`;
  });
  return parts.join("");
}

/**
 * Undoes {@linkcode escapeRef}.
 * @throws {SyntaxError} for a text that {@linkcode escapeRef} does not make
 */
export function unescapeRef(ref: string): string {
  let text = "";
  for (let at = 0; at < ref.length;) {
    if (ref[at] !== "_") {
      text += ref[at++];
      continue;
    }
    ESCAPE.lastIndex = at;
    const digits = ESCAPE.exec(ref)?.[1];
    if (digits === undefined) throw new SyntaxError(`"${ref}" has a broken escape at character ${at + 1}`);
    const code = digits === "_" ? 0x5f : parseInt(digits, 16);
    if (code > 0x10ffff) throw new SyntaxError(`"${ref}" has a broken escape at character ${at + 1}`);
    text += String.fromCodePoint(code);
    at += 1 + digits.length;
  }
  if (text === "" || !text.isWellFormed() || escapeRef(text) !== ref) {
    throw new SyntaxError(`"${ref}" is no escaped text`);
  }
  return text;
}
