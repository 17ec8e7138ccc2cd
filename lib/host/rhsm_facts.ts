/** What Red Hat's subscription manager is told of a host: `/etc/rhsm/facts/bootc.facts`. Source: formats.md 3.13. */
import { UserError } from "../sys/errors.ts";
import { LibcError, writeAll } from "../sys/libc.ts";
import { replaceFile } from "../sys/replace_file.ts";
import type { HostStatus, ImageStatus } from "./spec.ts";

const FACTS = "etc/rhsm/facts/bootc.facts";

/** The facts by their names; what there is not is an empty text. Pure. */
export function rhsmFacts({ booted, staged, rollback }: HostStatus): Record<string, string> {
  const images = {
    booted: booted?.image,
    staged: staged?.image,
    rollback: rollback?.image,
    available: booted?.cachedUpdate,
  };
  return Object.fromEntries(Object.entries(images).flatMap(([slot, image]) => factsOf(`bootc.${slot}`, image)));
}

function factsOf(prefix: string, image: ImageStatus | null | undefined): [string, string][] {
  return [
    [`${prefix}.image`, image?.image.image ?? ""],
    [`${prefix}.version`, image?.version ?? ""],
    [`${prefix}.digest`, image?.imageDigest ?? ""],
  ];
}

/**
 * Writes the facts below a root. Commit point: the rename of the new file; a power cut before it leaves the old one.
 * @throws {UserError} where the subscription manager has no directory for them
 */
export async function writeRhsmFacts(root: string, status: HostStatus): Promise<void> {
  const path = `${root.replace(/\/+$/, "")}/${FACTS}`;
  const bytes = new TextEncoder().encode(`${JSON.stringify(rhsmFacts(status), null, 2)}\n`);
  try {
    await replaceFile(path, (fd) => writeAll(fd, bytes), { mode: 0o644 });
  } catch (cause) {
    if (!(cause instanceof LibcError)) throw cause;
    throw new UserError(`Cannot write "${path}"`, {
      cause,
      hint: "Install subscription-manager, which has its directory",
    });
  }
}
