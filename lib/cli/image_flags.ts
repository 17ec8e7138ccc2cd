/** Flags and arguments that the commands on stored and remote images share. */
import { type OstreeImageReference, parseAnyImageReference } from "../oci/reference.ts";
import { UsageError } from "./errors.ts";
import type { CommandSpec, PositionalSpec, StringFlag } from "./spec.ts";

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

/** The repository to work on. */
export const REPO_FLAG = {
  kind: "string",
  help: "The ostree repository",
  metavar: "DIR",
  required: true,
  complete: "directory",
} as const satisfies StringFlag;

/** An image by its reference. */
export const IMAGE_ARGUMENT = {
  name: "imgref",
  help: "The image, as ostree-unverified-registry:NAME, docker://NAME, oci:DIR and the like",
  complete: "image",
} as const satisfies PositionalSpec;

/** An image in either form; a plain one (`oci:DIR`, `docker://NAME`) is unverified. @throws {UsageError} */
export function imageArgument(text: string): OstreeImageReference {
  try {
    return parseAnyImageReference(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const bare = /^[\w.-]+(:\d+)?(\/[\w.-]+)+([:@]\S+)?$/.test(text);
    throw new UsageError(error.message, { hint: bare ? `For an image of a registry: "docker://${text}"` : undefined });
  }
}
