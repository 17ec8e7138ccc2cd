/**
 * YAML as serde_yaml lays it out: lists not indented below their key, a local tag before its value, plain text wherever YAML
 * allows it. `@std/yaml` quotes each text with a colon (every image name) and writes tags as `!<!tag>`, so it is asked only for
 * the texts that do need quotes.
 */
import { stringify } from "@std/yaml/stringify";

/** What can be written. */
export type YamlValue = null | boolean | number | string | Tagged | readonly YamlValue[] | {
  readonly [key: string]: YamlValue;
};

/** A text with a tag of the application before it. */
export class Tagged {
  constructor(readonly tag: string, readonly text: string) {}
}

/** Texts that may stand plain though they hold colons and the like: a letter or digit first, single spaces between words. */
const PLAIN = /^[A-Za-z0-9/][\w@%+=:./~()-]*( [\w@%+=:./~()-]+)*$/;
/** A colon that would end a key. */
const KEY_END = /:( |$)/;
/** Plain texts that some reader takes for a number, a truth value or nothing (YAML 1.1, with its base 60, and 1.2). */
const AMBIGUOUS = new RegExp(
  [
    String.raw`[\d_]+|0x[\da-f_]+|0o[0-7_]+|0b[01_]+`,
    String.raw`\d[\d_]*(\.[\d_]*)?(e[-+]?\d+)?`,
    String.raw`\d+(:[0-5]?\d)+(\.\d*)?`,
    "inf|nan|y|n|yes|no|on|off|true|false|null",
  ].map((form) => `^(?:${form})$`).join("|"),
  "i",
);

function scalar(value: null | boolean | number | string): string {
  if (typeof value !== "string") return String(value);
  if (AMBIGUOUS.test(value)) return `'${value}'`;
  if (PLAIN.test(value) && !KEY_END.test(value)) return value;
  // On one line: a text of several lines gets quotes and escapes.
  return value.includes("\n") ? JSON.stringify(value) : stringify(value, { lineWidth: -1, schema: "core" }).trimEnd();
}

function isMapping(value: YamlValue): value is { readonly [key: string]: YamlValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Tagged);
}

function lines(value: YamlValue, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: YamlValue) => {
      const [first = "", ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
    });
  }
  if (isMapping(value)) return Object.entries(value).flatMap(([key, item]) => entry(key, item, indent));
  return [indent + (value instanceof Tagged ? `${value.tag} ${scalar(value.text)}` : scalar(value as string))];
}

function entry(key: string, value: YamlValue, indent: string): string[] {
  const head = `${indent}${scalar(key)}:`;
  if (Array.isArray(value)) return value.length === 0 ? [`${head} []`] : [head, ...lines(value, indent)];
  if (isMapping(value)) {
    return Object.keys(value).length === 0 ? [`${head} {}`] : [head, ...lines(value, `${indent}  `)];
  }
  return [`${head} ${lines(value, "")[0]}`];
}

/** The text of a value, with a newline at its end. */
export function writeYaml(value: YamlValue): string {
  return lines(value, "").join("\n") + "\n";
}
