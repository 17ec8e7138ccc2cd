/** Boot loader entries, type 1 (UAPI.1 Boot Loader Specification), as ostree writes them to `loader/entries/`. */

/** One entry file: keys in their order, a key may come more than once (initrd, options). */
export class BlsEntry {
  constructor(readonly fields: [key: string, value: string][] = []) {}

  /** The first value of a key. */
  get(key: string): string | undefined {
    return this.fields.find(([name]) => name === key)?.[1];
  }

  /** All values of a key, in order. */
  getAll(key: string): string[] {
    return this.fields.filter(([name]) => name === key).map(([, value]) => value);
  }

  /**
   * Replaces the first value of a key and drops further ones, or adds it at the end.
   * @throws {RangeError} on what one line cannot hold
   */
  set(key: string, value: string): void {
    if (!/^[^\s#]\S*$/.test(key) || /[\n\r\0]/.test(value)) {
      throw new RangeError(`${JSON.stringify(key)}: ${JSON.stringify(value)} is no line of a boot loader entry`);
    }
    const first = this.fields.findIndex(([name]) => name === key);
    if (first < 0) {
      this.fields.push([key, value]);
      return;
    }
    this.fields[first] = [key, value];
    for (let i = this.fields.length - 1; i > first; i--) {
      if (this.fields[i]![0] === key) this.fields.splice(i, 1);
    }
  }

  /** Removes all values of a key. */
  remove(key: string): void {
    for (let i = this.fields.length - 1; i >= 0; i--) {
      if (this.fields[i]![0] === key) this.fields.splice(i, 1);
    }
  }

  /** The kernel command line: all `options` lines joined, as boot loaders do. */
  get options(): string {
    return this.getAll("options").join(" ");
  }

  /** The file's text, one field a line. */
  toString(): string {
    return this.fields.map(([key, value]) => (value === "" ? key : `${key} ${value}`) + "\n").join("");
  }
}

/** Reads an entry; comments and blank lines are left out. Every text is one: unknown keys are kept, as the specification asks. */
export function parseBlsEntry(text: string): BlsEntry {
  const fields: [string, string][] = [];
  for (const line of text.split("\n")) {
    const match = /^[ \t]*([^\s#]\S*)(?:[ \t]+(.*))?$/.exec(line.trimEnd());
    if (match) fields.push([match[1]!, match[2] ?? ""]);
  }
  return new BlsEntry(fields);
}
