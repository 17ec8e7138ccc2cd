/** Reads a parsed JSON or YAML value key by key, strictly, and knows the way to each key for the error message. */

function shown(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}

/** A mapping inside the document. Keys that nobody asks for are ignored: later versions add some. */
export class Fields {
  readonly #value: Record<string, unknown>;
  readonly #path: string;

  /** @throws {SyntaxError} when the value is no mapping */
  constructor(value: unknown, path = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new SyntaxError(
        path === ""
          ? "Cannot read status document: expected a mapping"
          : `Cannot read status document: "${path}" is ${shown(value)}, expected a mapping`,
      );
    }
    this.#value = value as Record<string, unknown>;
    this.#path = path;
  }

  /** The full name of a key: `status.booted.image`. */
  name(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }

  /** What stands under a key; undefined also for keys that every object inherits. */
  value(key: string): unknown {
    return Object.hasOwn(this.#value, key) ? this.#value[key] : undefined;
  }

  /** @throws {SyntaxError} always, naming the key and what it is */
  reject(key: string, expected: string): never {
    throw new SyntaxError(
      `Cannot read status document: "${this.name(key)}" is ${shown(this.value(key))}, expected ${expected}`,
    );
  }

  /** @throws {SyntaxError} */
  string(key: string): string {
    const value = this.value(key);
    return typeof value === "string" ? value : this.reject(key, "text");
  }

  /** Null also where the key is missing. @throws {SyntaxError} */
  stringOrNull(key: string): string | null {
    return this.value(key) === undefined || this.value(key) === null ? null : this.string(key);
  }

  /** False where the key is missing. @throws {SyntaxError} */
  flag(key: string): boolean {
    const value = this.value(key) ?? false;
    return typeof value === "boolean" ? value : this.reject(key, "true or false");
  }

  /** A whole number that is not negative. @throws {SyntaxError} */
  count(key: string): number {
    const value = this.value(key);
    return Number.isSafeInteger(value) && (value as number) >= 0 ? value as number : this.reject(key, "a whole number");
  }

  /** One of some words. @throws {SyntaxError} */
  word<const Word extends string>(key: string, words: readonly Word[]): Word {
    const value = this.value(key);
    return words.find((word) => word === value) ?? this.reject(key, words.map((word) => `"${word}"`).join(" or "));
  }

  /** One of some words; null where the key is missing or null. @throws {SyntaxError} */
  wordOrNull<const Word extends string>(key: string, words: readonly Word[]): Word | null {
    return this.value(key) === undefined || this.value(key) === null ? null : this.word(key, words);
  }

  /** A mapping below this one. @throws {SyntaxError} */
  fields(key: string): Fields {
    if (this.value(key) === undefined) this.reject(key, "a mapping");
    return new Fields(this.value(key), this.name(key));
  }

  /** A mapping made into a value; null where the key is missing or null. @throws {SyntaxError} */
  optional<Value>(key: string, read: (fields: Fields) => Value): Value | null {
    return this.value(key) === undefined || this.value(key) === null ? null : read(this.fields(key));
  }

  /** A list of mappings; empty where the key is missing or null. @throws {SyntaxError} */
  list<Value>(key: string, read: (fields: Fields) => Value): Value[] {
    const value = this.value(key) ?? [];
    if (!Array.isArray(value)) this.reject(key, "a list");
    return value.map((item, index) => read(new Fields(item, `${this.name(key)}[${index}]`)));
  }
}
