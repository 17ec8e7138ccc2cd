/** systemd's tmpfiles.d: which paths a root declares there, and the line that would declare one more. Source: tmpfiles.d(5). */
import { binaryString } from "../ostree/objects.ts";
import type { FileStat } from "../sys/libc_stat.ts";
import type { Root } from "./root.ts";

const DIRECTORIES = ["usr/lib/tmpfiles.d", "etc/tmpfiles.d"];

/** A path as a line declares it: behind the type, bare or between quotes. */
const LINE = /^\s*[^\s#]\S*\s+(?:"((?:[^"\\]|\\.)*)"|(\S+))/;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** The path that a line (a binary string) declares; undefined where it declares none. */
export function declaredPath(line: string): string | undefined {
  const [, quoted, bare] = LINE.exec(line) ?? [];
  return (quoted ?? bare)?.replaceAll(/\\(?:x([0-9a-fA-F]{2})|(.))/gs, (_, hex?: string, character = "") => {
    return hex === undefined ? ESCAPES[character] ?? character : String.fromCharCode(parseInt(hex, 16));
  });
}

/** What tells a name in a directory from all others, whatever links lead there. */
export function placeKey(directoryIdentity: string, name: string): string {
  return `${directoryIdentity}/${name}`;
}

/**
 * The {@linkcode placeKey} of every path that the root's tmpfiles.d declares, links on the way followed: `/root/.ssh` stands for
 * `/var/roothome/.ssh` where /root is a link there.
 * @throws {UserError} when a file cannot be read
 */
export function readDeclaredPlaces(root: Root): Set<string> {
  const places = new Set<string>();
  for (const directory of DIRECTORIES) {
    for (const { name } of root.names(directory) ?? []) {
      const bytes = name.endsWith(".conf") ? root.readFile(`${directory}/${name}`) : undefined;
      for (const line of bytes ? binaryString(bytes).split("\n") : []) {
        const path = declaredPath(line);
        const place = path === undefined ? undefined : root.parent(path);
        if (place) places.add(placeKey(place.identity, place.name));
      }
    }
  }
  return places;
}

/** A path as it stands in a line. `%` would begin a specifier. */
function escapePath(path: string): string {
  return Array.from(path, (character) => {
    if (character === "\\") return "\\\\";
    if (character === "%") return "%%";
    if (character > " " && character <= "~") return character;
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  }).join("");
}

/** The line that makes a directory. `user` and `group` are names or numbers. */
export function directoryLine(
  path: string,
  { mode }: FileStat,
  { user, group }: { user: string; group: string },
): string {
  return `d ${escapePath(path)} ${mode.toString(8).padStart(4, "0")} ${user} ${group} - -`;
}

/** The line that makes a symlink. */
export function linkLine(path: string, target: string): string {
  return `L ${escapePath(path)} - - - - ${escapePath(target)}`;
}
