/** Checked reads of JSON that came from outside: what is not of the wanted shape is a `SyntaxError` that names the place. */

/** A JSON object; its members are unknown until read. */
export type JsonObject = Readonly<Record<string, unknown>>;

const DEPTH_LIMIT = 64;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Brackets that are open at once; strings are stepped over. Recursion over the parsed value is safe below the limit. */
function assertShallow(text: string, what: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > DEPTH_LIMIT) throw new SyntaxError(`Too deeply nested JSON in ${what}`);
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

/**
 * Parses bytes or text; anything else is taken as parsed already. `what` names the thing in errors ("image manifest").
 * @throws {SyntaxError} when it is no UTF-8, no JSON, no object, or nested deeper than 64
 */
export function parseJsonObject(input: unknown, what: string): JsonObject {
  let value = input;
  if (input instanceof Uint8Array || typeof input === "string") {
    try {
      const text = typeof input === "string" ? input : utf8.decode(input);
      assertShallow(text, what);
      value = JSON.parse(text);
    } catch (cause) {
      if (cause instanceof SyntaxError && cause.message.startsWith("Too deeply")) throw cause;
      // A decoder's TypeError says no more than this text does.
      throw new SyntaxError(`Cannot parse ${what}: not valid JSON`, cause instanceof SyntaxError ? { cause } : {});
    }
  }
  return asObject(value, what);
}

/** @throws {SyntaxError} */
export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError(`Expected an object for ${what}, got ${kindOf(value)}`);
  }
  return value as JsonObject;
}

/** @throws {SyntaxError} */
export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new SyntaxError(`Expected a list for ${what}, got ${kindOf(value)}`);
  return value;
}

/** @throws {SyntaxError} */
export function asString(value: unknown, what: string): string {
  if (typeof value !== "string") throw new SyntaxError(`Expected a text for ${what}, got ${kindOf(value)}`);
  return value;
}

/** A text, or undefined where the member is absent or null (Go writes null for an empty list or map). @throws {SyntaxError} */
export function asOptionalString(value: unknown, what: string): string | undefined {
  return value === undefined || value === null ? undefined : asString(value, what);
}

/** A map of texts; absent and null are an empty one. Keys like "__proto__" are ordinary members of it. @throws {SyntaxError} */
export function asStringMap(value: unknown, what: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  return Object.fromEntries(
    Object.entries(asObject(value, what)).map(([key, text]) => [key, asString(text, `${what} ${JSON.stringify(key)}`)]),
  );
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
