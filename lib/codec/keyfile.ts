/**
 * Key files as GLib's GKeyFile reads and writes them (origin files, repository config). Comments, blank lines, order and unknown keys
 * survive a change. Where a group or key comes twice the last value counts, as in GLib; the text is then written with each of them once,
 * at its first place.
 */

interface Pair {
  readonly key: string;
  /** Escaped, as in the file. */
  raw: string;
}
/** A comment or blank line stays a string. */
type Line = Pair | string;

interface Group {
  readonly name: string;
  readonly lines: Line[];
}

/** A parsed key file. Values are given and taken unescaped. */
export class Keyfile {
  /** Comment and blank lines before the first group. */
  readonly #preamble: string[] = [];
  readonly #groups = new Map<string, Group>();

  /** @throws {SyntaxError} naming the line */
  static parse(text: string): Keyfile {
    const file = new Keyfile();
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    let group: Group | undefined;
    for (const [index, untrimmed] of lines.entries()) {
      const line = untrimmed.replace(/\r$/, "");
      const start = line.replace(/^[ \t\v\f\r]+/, "");
      if (start === "" || start.startsWith("#")) {
        (group?.lines ?? file.#preamble).push(line);
      } else if (start.startsWith("[")) {
        group = file.#group(groupName(start, index + 1));
      } else if (group === undefined) {
        throw new SyntaxError(`Line ${index + 1} of a key file stands before the first group: ${JSON.stringify(line)}`);
      } else {
        parsePair(group, start, index + 1);
      }
    }
    return file;
  }

  /** The value, or undefined where group or key are absent. @throws {SyntaxError} on an escape that GLib would refuse too */
  get(group: string, key: string): string | undefined {
    const raw = this.#find(group, key)?.raw;
    return raw === undefined ? undefined : unescape(raw, key);
  }

  /** Adds or replaces a value; a new group comes last. @throws {RangeError} on a name or value that a key file cannot hold */
  set(group: string, key: string, value: string): void {
    this.#setRaw(group, key, escape(value));
  }

  /** The parts of a value separated by ";", or undefined; the last separator may be missing. @throws {SyntaxError} */
  getList(group: string, key: string): string[] | undefined {
    const raw = this.#find(group, key)?.raw;
    if (raw === undefined) return undefined;
    const parts: string[] = [];
    let part = "";
    for (let i = 0; i < raw.length; i++) {
      if (raw[i] === "\\") {
        part += raw[i + 1] === ";" ? ";" : unescape(raw.slice(i, i + 2), key);
        i++;
      } else if (raw[i] === ";") {
        parts.push(part);
        part = "";
      } else {
        part += raw[i];
      }
    }
    if (part !== "") parts.push(part);
    return parts;
  }

  /** Sets a value to `a;b;`. @throws {RangeError} on a name or value that a key file cannot hold */
  setList(group: string, key: string, values: readonly string[]): void {
    this.#setRaw(group, key, values.map((value) => escape(value).replaceAll(";", "\\;") + ";").join(""));
  }

  /** Removes a key with its line, or a whole group with its comments; what is absent is no error. */
  remove(group: string, key?: string): void {
    if (key === undefined) {
      this.#groups.delete(group);
      return;
    }
    const lines = this.#groups.get(group)?.lines;
    const index = lines?.findIndex((line) => typeof line !== "string" && line.key === key) ?? -1;
    if (index >= 0) lines!.splice(index, 1);
  }

  /** Names in the order of the file. */
  groups(): string[] {
    return [...this.#groups.keys()];
  }

  /** Names in the order of the file; none where there is no such group. */
  keys(group: string): string[] {
    return (this.#groups.get(group)?.lines ?? []).flatMap((line) => typeof line === "string" ? [] : [line.key]);
  }

  /** Whether there is such a group, though it may be empty. */
  has(group: string): boolean {
    return this.#groups.has(group);
  }

  /** The file's text; what was not changed is as it was read. */
  toString(): string {
    let out = this.#preamble.map((line) => line + "\n").join("");
    for (const group of this.#groups.values()) {
      out += `[${group.name}]\n`;
      for (const line of group.lines) out += (typeof line === "string" ? line : `${line.key}=${line.raw}`) + "\n";
    }
    return out;
  }

  #find(group: string, key: string): Pair | undefined {
    const line = this.#groups.get(group)?.lines.find((line) => typeof line !== "string" && line.key === key);
    return line as Pair | undefined;
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, group = { name, lines: [] });
    return group;
  }

  #setRaw(group: string, key: string, raw: string): void {
    if (!validGroup(group)) throw new RangeError(`${JSON.stringify(group)} is no name for a group of a key file`);
    if (!validKey(key)) throw new RangeError(`${JSON.stringify(key)} is no name for a key of a key file`);
    if (/[\0]/.test(raw)) throw new RangeError(`The value of ${JSON.stringify(key)} holds a NUL`);
    const old = this.#find(group, key);
    if (old !== undefined) {
      old.raw = raw;
      return;
    }
    this.#separate(group);
    const { lines } = this.#group(group);
    // Before blank lines at the end, which separate this group from the next.
    let at = lines.length;
    while (at > 0 && lines[at - 1] === "") at--;
    lines.splice(at, 0, { key, raw });
  }

  /** A blank line between what is there and a group that is about to be added, as GLib writes it. */
  #separate(group: string): void {
    if (this.#groups.has(group) || this.#groups.size === 0) return;
    const last = [...this.#groups.values()].at(-1)!;
    if (last.lines.at(-1) !== "") last.lines.push("");
  }
}

function validGroup(name: string): boolean {
  // deno-lint-ignore no-control-regex -- control characters are what GLib refuses
  return name !== "" && !/[[\]\x00-\x1f\x7f]/.test(name);
}

function validKey(key: string): boolean {
  // deno-lint-ignore no-control-regex -- as above
  return key !== "" && key.trim() === key && !/[=\x00-\x1f]/.test(key) && !key.startsWith("#") && !key.startsWith("[");
}

function groupName(line: string, number: number): string {
  const name = /^\[([^\]]*)\][ \t]*$/.exec(line)?.[1];
  if (name === undefined || !validGroup(name)) {
    throw new SyntaxError(`Line ${number} of a key file is no valid group header: ${JSON.stringify(line)}`);
  }
  return name;
}

function parsePair(group: Group, line: string, number: number): void {
  const equals = line.indexOf("=");
  const key = line.slice(0, Math.max(0, equals)).trimEnd();
  if (!validKey(key)) {
    throw new SyntaxError(
      `Line ${number} of a key file is neither a group, a comment nor "key=value": ${JSON.stringify(line)}`,
    );
  }
  const raw = line.slice(equals + 1).replace(/^[ \t\v\f\r]+/, "");
  const old = group.lines.find((other): other is Pair => typeof other !== "string" && other.key === key);
  if (old === undefined) group.lines.push({ key, raw });
  else old.raw = raw;
}

const ESCAPES: Readonly<Record<string, string>> = { s: " ", n: "\n", t: "\t", r: "\r", "\\": "\\" };

function unescape(raw: string, key: string): string {
  return raw.replace(/\\(.?)/gs, (sequence, character: string) => {
    const value = Object.hasOwn(ESCAPES, character) ? ESCAPES[character] : undefined;
    if (value === undefined) {
      throw new SyntaxError(`The value of ${JSON.stringify(key)} holds an unknown escape ${JSON.stringify(sequence)}`);
    }
    return value;
  });
}

/** Spaces and tabs only need it at the start, where reading skips them. */
function escape(value: string): string {
  return value
    .replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r")
    .replace(/^[ \t]+/, (blank) => blank.replaceAll(" ", "\\s").replaceAll("\t", "\\t"));
}
