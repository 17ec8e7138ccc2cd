/** Root's SSH keys on a new host, brought there by systemd-tmpfiles at its first boot. Source: row I6, tmpfiles.d(5). */
import { utf8Text } from "../host/utf8.ts";
import { UserError } from "../sys/errors.ts";

/** Where the line belongs, from the root of the deployment. */
export const SSH_KEYS_TMPFILES = "etc/tmpfiles.d/bootc-root-ssh.conf";

/** systemd reads lines up to 1 MiB, of which base64 takes four bytes for three. */
const MAX_BYTES = 512 << 10;

/**
 * The text of a file with keys, as authorized_keys(5).
 * @throws {SyntaxError} when it is no UTF-8 text, or has no line that could be a key
 * @throws {RangeError} when it is too large for a line of tmpfiles.d
 */
export function sshKeysText(bytes: Uint8Array): string {
  if (bytes.length > MAX_BYTES) {
    throw new RangeError(`The keys have ${bytes.length} bytes, expected ${MAX_BYTES} at most`);
  }
  const text = utf8Text(bytes);
  if (text.includes("\0")) throw new SyntaxError("The keys are no text: there is a NUL in them");
  if (!/^[^\S\n]*[^\s#]/m.test(text)) throw new SyntaxError("There is no key, only blanks and comments");
  return text;
}

/** Where the keys are for. */
export interface SshKeysOptions {
  /** Root's home, where /root is no link ({@linkcode rootHome}). */
  readonly home?: string;
}

/** The line that makes authorized_keys where there is none yet, so that nothing of a later edit is lost. */
export function sshKeysTmpfiles(keys: string, { home = "/root" }: SshKeysOptions = {}): string {
  return `f~ ${home}/.ssh/authorized_keys 600 root root - ${base64(keys)}\n`;
}

/**
 * Root's home by the target of the deployment's link /root (`var/roothome`): tmpfiles.d does not like two names of one path.
 * @throws {UserError} when it is no plain path within the root
 */
export function rootHome(target: string): string {
  const path = `/${target.split("/").filter((name) => name !== "" && name !== ".").join("/")}`;
  if (/^(?:\/\w[\w.-]*)+$/.test(path)) return path;
  throw new UserError(`Cannot put SSH keys into /root of the image, a link to ${JSON.stringify(target)}`);
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}
