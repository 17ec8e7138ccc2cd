/** Where a file system comes from, as a kernel argument and a line of /etc/fstab name it. */
import { UserError } from "../sys/errors.ts";

/** `UUID=...`, `LABEL=...` or a device. @throws {UserError} when it would end the field that it stands in */
export function requireMountSource(source: string): string {
  // deno-lint-ignore no-control-regex
  if (!/[\s\0-\x1f\x7f"\\]/.test(source)) return source;
  throw new UserError(`Cannot mount from ${JSON.stringify(source)}: it holds a blank, a quote or a backslash`, {
    hint: "Name the file system by its UUID, as UUID=...",
  });
}
