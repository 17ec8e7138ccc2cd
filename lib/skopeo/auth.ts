/** Which registry logins a host uses (row U27). */
import { fileBelow } from "./below.ts";

const OSTREE_AUTH_FILES = ["/run/ostree/auth.json", "/etc/ostree/auth.json", "/usr/lib/ostree/auth.json"];

/** Part of {@linkcode ProxyOptions}: a file with logins, or none at all. */
export type RegistryAuth = { readonly authfile: string } | { readonly authAnonymous: true };

/** What the caller said. */
export interface AuthRequest {
  /** `--authfile`. */
  readonly authfile?: string | undefined;
  /** `--auth-anonymous`. */
  readonly authAnonymous?: boolean | undefined;
}

/**
 * First of: what the command line says, `REGISTRY_AUTH_FILE`, `auth.json` in `ostree/` of /run, /etc or /usr/lib below `root`. Where there
 * is none the pull is anonymous: a person's own login must not decide what a host gets.
 */
export async function findRegistryAuth(
  root: string,
  env: Readonly<Record<string, string>>,
  request: AuthRequest = {},
): Promise<RegistryAuth> {
  if (request.authAnonymous) return { authAnonymous: true };
  if (request.authfile !== undefined) return { authfile: request.authfile };
  const named = env["REGISTRY_AUTH_FILE"];
  if (named) return { authfile: named };
  for (const candidate of OSTREE_AUTH_FILES) {
    const path = await fileBelow(root, candidate);
    if (path !== undefined) return { authfile: path };
  }
  return { authAnonymous: true };
}
