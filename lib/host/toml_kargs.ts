/** One file of `usr/lib/bootc/kargs.d`. A module of its own, loaded only by images that have such a file. Source: formats.md 3.11. */
import { parse } from "@std/toml/parse";

/** What a file asks for. */
export interface KargsFile {
  /** As written: an item may hold several arguments. */
  readonly kargs: readonly string[];
  /** Undefined: every architecture. */
  readonly architectures: readonly string[] | undefined;
}

function texts(value: unknown, key: string): string[] {
  if (!Array.isArray(value) || value.some((item) => typeof item !== "string")) {
    throw new SyntaxError(`Key "${key}" is ${JSON.stringify(value)}, expected a list of texts`);
  }
  return value;
}

/** @throws {SyntaxError} when the text is no TOML, has a key that is not known, or lacks `kargs` */
export function parseKargsFile(text: string): KargsFile {
  const table = parse(text);
  const unknown = Object.keys(table).find((key) => key !== "kargs" && key !== "match-architectures");
  if (unknown !== undefined) {
    throw new SyntaxError(`Key "${unknown}" is not known, expected "kargs" or "match-architectures"`);
  }
  if (!Object.hasOwn(table, "kargs")) throw new SyntaxError(`Key "kargs" is missing`);
  const architectures = Object.hasOwn(table, "match-architectures") ? table["match-architectures"] : undefined;
  return {
    kargs: texts(table.kargs, "kargs"),
    architectures: architectures === undefined ? undefined : texts(architectures, "match-architectures"),
  };
}
