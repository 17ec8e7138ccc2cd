/** Users and groups of a root: its passwd and group files, and those that systemd-sysusers would make. */
import { UserError } from "../sys/errors.ts";
import type { Root } from "./root.ts";

/** A user or a group. */
export interface Account {
  readonly name: string;
  readonly id: number;
}

const decoder = new TextDecoder();

function lines(root: Root, path: string): string[] | undefined {
  const bytes = root.readFile(path);
  return bytes && decoder.decode(bytes).split("\n");
}

/** How many fields an entry of passwd(5) and of group(5) has. */
const FIELDS = { passwd: 7, group: 4 } as const;

/** The account of a line in the form of passwd(5) or group(5); undefined where it is none, as a line for NIS or a comment. */
export function parseAccount(line: string, form: keyof typeof FIELDS): Account | undefined {
  const fields = line.split(":");
  const [name, , id] = fields;
  if (!name || /^[#+-]/.test(line) || fields.length < FIELDS[form] || !/^\d+$/.test(id!)) return undefined;
  return { name, id: Number(id) };
}

/**
 * Reads a file in the form of passwd(5) or group(5); undefined where there is none. Lines for NIS are passed over.
 * @throws {UserError} naming the line that is no entry
 */
export function readAccounts(root: Root, path: string, form: keyof typeof FIELDS): Account[] | undefined {
  return lines(root, path)?.flatMap((line, index) => {
    if (/^($|[#+-])/.test(line)) return [];
    const account = parseAccount(line, form);
    if (!account) throw new UserError(`Line ${index + 1} of "/${path}" is no entry of a ${form} file`);
    return [account];
  });
}

/** Names that systemd-sysusers makes. */
export interface SysuserNames {
  readonly users: ReadonlySet<string>;
  /** A user's own group included. */
  readonly groups: ReadonlySet<string>;
}

const SYSUSERS = "usr/lib/sysusers.d";
/** `u` (or `u!`, ...) or `g`, then a name, perhaps between quotes. Source: sysusers.d(5). */
const SYSUSERS_LINE = /^\s*([ug])[!+?-]*\s+(?:"([^"]+)"|(\S+))/;

/** What the root's sysusers.d declares; lines of another form are passed over, as systemd does. @throws {UserError} */
export function readSysusers(root: Root): SysuserNames {
  const users = new Set<string>(), groups = new Set<string>();
  for (const { name } of root.names(SYSUSERS) ?? []) {
    if (!name.endsWith(".conf")) continue;
    for (const line of lines(root, `${SYSUSERS}/${name}`) ?? []) {
      const [, type, quoted, bare] = SYSUSERS_LINE.exec(line) ?? [];
      const account = quoted ?? bare;
      if (account === undefined) continue;
      groups.add(account);
      if (type === "u") users.add(account);
    }
  }
  return { users, groups };
}
