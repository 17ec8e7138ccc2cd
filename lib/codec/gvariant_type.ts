/** GVariant type strings, parsed once: what an element aligns to and whether its size is fixed. */

/** A parsed type. `size` is 0 where values differ in size. */
export interface Type {
  /** The character that decides: "(" and "{" are both "(", "s", "o" and "g" stand for themselves. */
  readonly kind: string;
  /** 1, 2, 4 or 8. */
  readonly alignment: number;
  readonly size: number;
  /** The parts of a tuple or dictionary entry, the one element type of an array or a maybe. */
  readonly parts: readonly Type[];
  readonly text: string;
}

const BASIC: Readonly<Record<string, number>> = { b: 1, y: 1, n: 2, q: 2, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 };
/** GLib allows 128 for type and value together; ostree's deepest type has 4. */
const MAX_DEPTH = 64;
const MAX_LENGTH = 255;
/** Variants in hostile data name types of their own, so what is remembered is bounded. */
const MAX_CACHED = 256;
const cache = new Map<string, Type>();

/** The next multiple of a power of two; right beyond 2^31, where bit operations are not. */
export function alignUp(position: number, alignment: number): number {
  const over = position % alignment;
  return over === 0 ? position : position + alignment - over;
}

/** Parses one complete type; a maybe of a maybe is not supported. @throws {SyntaxError} */
export function parseType(text: string): Type {
  const known = cache.get(text);
  if (known !== undefined) return known;
  if (text.length > MAX_LENGTH) throw new SyntaxError(`GVariant type is longer than ${MAX_LENGTH} characters`);
  const parser = new TypeParser(text);
  const type = parser.one(0);
  if (parser.position !== text.length) parser.fail();
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(text, type);
  return type;
}

class TypeParser {
  position = 0;
  constructor(readonly text: string) {}

  fail(): never {
    throw new SyntaxError(`Not a GVariant type: ${JSON.stringify(this.text)}`);
  }

  one(depth: number): Type {
    if (depth > MAX_DEPTH) this.fail();
    const start = this.position;
    const kind = this.text[this.position++];
    if (kind === undefined) this.fail();
    const fixed = Object.hasOwn(BASIC, kind) ? BASIC[kind]! : 0;
    const done = (alignment: number, size: number, parts: readonly Type[] = [], as = kind): Type => (
      { kind: as, alignment, size, parts, text: this.text.slice(start, this.position) }
    );
    if (fixed > 0) return done(fixed, fixed);
    switch (kind) {
      case "s":
      case "o":
      case "g":
        return done(1, 0);
      case "v":
        return done(8, 0);
      case "a":
      case "m": {
        const element = this.one(depth + 1);
        // null cannot say which of two maybes is empty, and nothing of ostree's nests them.
        if (kind === "m" && element.kind === "m") this.fail();
        return done(element.alignment, 0, [element]);
      }
      case "(":
      case "{": {
        const parts = kind === "(" ? this.#tuple(depth) : this.#entry(depth);
        const alignment = Math.max(1, ...parts.map((part) => part.alignment));
        return done(alignment, fixedSize(parts, alignment), parts, "(");
      }
      default:
        return this.fail();
    }
  }

  #tuple(depth: number): Type[] {
    const parts: Type[] = [];
    while (this.text[this.position] !== ")") parts.push(this.one(depth + 1));
    this.position++;
    return parts;
  }

  #entry(depth: number): Type[] {
    const key = this.one(depth + 1);
    if (!/^[bynqihuxtdsog]$/.test(key.text)) this.fail();
    const value = this.one(depth + 1);
    if (this.text[this.position++] !== "}") this.fail();
    return [key, value];
  }
}

/** The size of a tuple whose parts all have one; the empty tuple is a single zero byte. */
function fixedSize(parts: readonly Type[], alignment: number): number {
  if (parts.length === 0) return 1;
  let end = 0;
  for (const part of parts) {
    if (part.size === 0) return 0;
    end = alignUp(end, part.alignment) + part.size;
  }
  return alignUp(end, alignment);
}

/** Bytes of one framing offset in a container of this many bytes in all. */
export function offsetSize(totalBytes: number): number {
  if (totalBytes <= 0xff) return totalBytes === 0 ? 0 : 1;
  return totalBytes <= 0xffff ? 2 : totalBytes <= 0xffffffff ? 4 : 8;
}

/** The same seen from the writer: the smallest that counts the container with its `count` offsets. */
export function offsetSizeFor(bodyBytes: number, count: number): number {
  for (const size of [1, 2, 4]) {
    if (bodyBytes + count * size <= 256 ** size - 1) return size;
  }
  return 8;
}

const OBJECT_PATH = /^\/(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*)?$/;

/** Whether a string may stand in a value of kind s, o (D-Bus object path) or g (types one after the other). */
export function validString(kind: string, text: string): boolean {
  if (kind === "o") return OBJECT_PATH.test(text);
  if (kind !== "g") return true;
  if (/[m*?r]/.test(text)) return false; // D-Bus knows neither maybe nor indefinite types
  const parser = new TypeParser(text);
  try {
    while (parser.position < text.length) parser.one(0);
    return text.length <= MAX_LENGTH;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
