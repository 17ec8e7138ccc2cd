/** One file of the install configuration. A module of its own, loaded only where there is such a file. Source: formats.md 3.10. */
import { parse } from "@std/toml/parse";
import { isBootable } from "../host/kargs.ts";
import { staterootArgument } from "../ostree/names.ts";
import { BLOCK_SETUPS, BOOTLOADERS, ROOT_FILE_SYSTEMS } from "./config.ts";

/** A key of the file, dotted from the top, and what it takes. */
interface Setting<Value> {
  readonly key: string;
  /** The end of the sentence "expected ...". */
  readonly expected: string;
  /** Undefined where the value is something else. */
  readonly read: (value: unknown) => Value | undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && isBootable(value);
}

/** All of these texts end up in lines of other files. */
const NO_CONTROL = "without control characters";

function text(key: string): Setting<string> {
  return { key, expected: `a text ${NO_CONTROL}`, read: (value) => isText(value) ? value : undefined };
}

function texts(key: string): Setting<readonly string[]> {
  return {
    key,
    expected: `a list of texts ${NO_CONTROL}`,
    read: (value) => Array.isArray(value) && value.every(isText) ? value : undefined,
  };
}

function flag(key: string): Setting<boolean> {
  return { key, expected: "true or false", read: (value) => typeof value === "boolean" ? value : undefined };
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(", ");
}

function word<const Word extends string>(key: string, words: readonly Word[]): Setting<Word> {
  return { key, expected: `one of ${quoted(words)}`, read: (value) => words.find((each) => each === value) };
}

function words<const Word extends string>(key: string, known: readonly Word[]): Setting<readonly Word[]> {
  return {
    key,
    expected: `a list of ${quoted(known)}`,
    read: (value) => Array.isArray(value) && value.every((item) => known.includes(item)) ? value : undefined,
  };
}

function stateroot(key: string): Setting<string> {
  const read = (value: unknown) => {
    if (typeof value !== "string") return undefined;
    staterootArgument(value);
    return value;
  };
  return { key, expected: "a text", read };
}

const SETTINGS = {
  rootFsType: word("install.root-fs-type", ROOT_FILE_SYSTEMS),
  filesystemRootType: word("install.filesystem.root.type", ROOT_FILE_SYSTEMS),
  block: words("install.block", BLOCK_SETUPS),
  kargs: texts("install.kargs"),
  kargDeletes: texts("install.karg-deletes"),
  matchArchitectures: texts("install.match-architectures"),
  stateroot: stateroot("install.stateroot"),
  rootMountSpec: text("install.root-mount-spec"),
  bootMountSpec: text("install.boot-mount-spec"),
  bootloader: word("install.bootloader", BOOTLOADERS),
  bootupdSkipBootUuid: flag("install.bootupd.skip-boot-uuid"),
  discoverablePartitions: flag("install.discoverable-partitions"),
  enforceContainerSigpolicy: flag("install.enforce-container-sigpolicy"),
  blsAppendExceptDefault: text("install.ostree.bls-append-except-default"),
} as const;

/** The table whose keys may be those of a later version. */
const OPEN_TABLE = "install.ostree";

const BY_KEY = new Map<string, [name: string, setting: Setting<unknown>]>(
  Object.entries(SETTINGS).map(([name, setting]) => [setting.key, [name, setting]]),
);
const TABLES = new Set([...BY_KEY.keys()].flatMap((key) => {
  const names = key.split(".");
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join("."));
}));

/** What a file sets, each key as it stands there. */
export type InstallSettings = {
  readonly [Name in keyof typeof SETTINGS]?: NonNullable<ReturnType<(typeof SETTINGS)[Name]["read"]>>;
};

/** A file that was read. */
export interface InstallFile {
  /** Undefined where there is no table `install`. */
  readonly settings: InstallSettings | undefined;
  /** Keys that are not known, where that is no error. */
  readonly ignored: readonly string[];
}

/** @throws {SyntaxError} when the text is no TOML, has a key that is not known, or a value of another kind; names line and key */
export function parseInstallFile(toml: string): InstallFile {
  const wrong = (key: string, what: string) => {
    const line = lineOf(toml, key);
    return new SyntaxError(`${line === undefined ? "" : `Line ${line}: `}Key "${key}" ${what}`);
  };
  const unexpected = (key: string, value: unknown, expected: string) =>
    wrong(key, `is ${JSON.stringify(value)}, expected ${expected}`);
  const found: Record<string, unknown> = {};
  const ignored: string[] = [];
  const top = parse(toml);
  for (const [key, value] of leaves(top)) {
    const [name, setting] = BY_KEY.get(key) ?? [];
    if (setting) {
      const read = setting.read(value);
      if (read === undefined) throw unexpected(key, value, setting.expected);
      found[name!] = read;
    } else if (TABLES.has(key)) {
      throw unexpected(key, value, "a table");
    } else if (key.startsWith(`${OPEN_TABLE}.`)) {
      ignored.push(key);
    } else {
      throw wrong(key, "is not known");
    }
  }
  return { settings: Object.hasOwn(top, "install") ? found : undefined, ignored };
}

/** Where a key or a table's name stands; undefined where it cannot be told, as in a table within a line. */
function lineOf(toml: string, key: string): number | undefined {
  const dotted = (text: string) => text.trim().replace(/\s*\.\s*/g, ".");
  let table = "";
  for (const [index, line] of toml.split("\n").entries()) {
    const header = /^\s*\[{1,2}([^\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) table = dotted(header);
    const name = /^\s*([^=#[]+)=/.exec(line)?.[1];
    const here = name === undefined ? header && table : [table, dotted(name)].filter((each) => each !== "").join(".");
    if (here === key) return index + 1;
  }
  return undefined;
}

/** The values below a table by their whole keys; a table that is not known is a value itself. */
function* leaves(table: object, prefix = ""): Generator<[key: string, value: unknown]> {
  for (const [name, value] of Object.entries(table)) {
    // A name with a dot in it is one name: "filesystem.root.type" is not filesystem.root.type.
    const key = prefix + (/^[\w-]+$/.test(name) ? name : JSON.stringify(name));
    if (TABLES.has(key) && isTable(value)) yield* leaves(value, `${key}.`);
    else yield [key, value];
  }
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
