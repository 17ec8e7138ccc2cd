/** The flags of every command that reads a registry, and how such a command reads the names of images. */
import { type OstreeImageReference, parseAnyImageReference } from "../oci/reference.ts";
import { UsageError } from "./errors.ts";
import type { CommandSpec } from "./spec.ts";

/** Logins and certificates, under the reference's names. */
export const REGISTRY_FLAGS = {
  authfile: { kind: "string", help: "File with registry logins", metavar: "FILE", complete: "file" },
  authAnonymous: { help: "Use no login, also where one would be found" },
  certDir: {
    kind: "string",
    help: "Directory with certificates for the registry",
    metavar: "DIR",
    complete: "directory",
  },
  insecureSkipTlsVerification: { help: "Accept plain http and invalid certificates" },
} as const satisfies CommandSpec["flags"];

/** An image in either form; a plain one (`oci:DIR`, `docker://NAME`) is unverified. @throws {UsageError} */
export function imageArgument(text: string): OstreeImageReference {
  try {
    return parseAnyImageReference(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(error.message, {
      hint: text.includes(":") && /^[a-z-]+:/.test(text)
        ? undefined
        : `Write "docker://${text}" for an image of a registry`,
    });
  }
}
