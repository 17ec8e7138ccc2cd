/** What `ostree/prepare-root.conf` says of the root directory of a running system. Source: ostree-prepare-root(1). */
import { Keyfile } from "../codec/keyfile.ts";

/** Where an image keeps it. */
export const PREPARE_ROOT = "usr/lib/ostree/prepare-root.conf";

/** Truth values, "where the system can", and two that ask for more. */
const COMPOSEFS_ON = new Set(["yes", "true", "1", "maybe", "signed", "verity"]);

/** What makes a root that can hold any name. */
export interface RootOverlay {
  readonly composefs: boolean;
  /** Composefs is asked for, and a system that cannot do it does not boot. */
  readonly composefsRequired: boolean;
  /** Changes last until the next boot. */
  readonly transient: boolean;
}

/** @throws {SyntaxError} when it is no key file */
export function parsePrepareRoot(text: string): RootOverlay {
  const config = Keyfile.parse(text);
  const composefs = config.get("composefs", "enabled")?.trim() ?? "";
  return {
    composefs: COMPOSEFS_ON.has(composefs),
    composefsRequired: COMPOSEFS_ON.has(composefs) && composefs !== "maybe",
    transient: config.get("root", "transient")?.trim() === "true",
  };
}
