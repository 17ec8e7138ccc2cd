/** Which containers-policy.json(5) counts, and whether it may be relied on. Its rules are skopeo's to read. */
import { parseJsonObject } from "../oci/json.ts";
import { UserError } from "../sys/errors.ts";
import { fileBelow } from "./below.ts";

type Environment = Readonly<Record<string, string>>;

const ENV_OVERRIDE = "CONTAINERS_POLICY_JSON";
const USER_SUFFIX = "containers/policy.json";
const SYSTEM_PATHS = ["/etc/containers/policy.json", "/usr/share/containers/policy.json"];

/**
 * The policy file of the system in `root`: `$CONTAINERS_POLICY_JSON`, else the first there is of `$XDG_CONFIG_HOME` (or `~/.config`)
 * `/containers/policy.json`, `/etc/containers/policy.json`, `/usr/share/containers/policy.json`; all of them, and absolute links, below
 * `root`. Undefined where there is none.
 * @throws {UserError} when the variable names a file that is not there
 */
export async function resolvePolicyPath(root: string, env: Environment): Promise<string | undefined> {
  const named = env[ENV_OVERRIDE];
  if (named) {
    const path = await fileBelow(root, named);
    if (path !== undefined) return path;
    throw new UserError(`Cannot open the signature policy "${named}" that ${ENV_OVERRIDE} names: no such file`);
  }
  for (const candidate of [...userPaths(env), ...SYSTEM_PATHS]) {
    const path = await fileBelow(root, candidate);
    if (path !== undefined) return path;
  }
  return undefined;
}

function userPaths(env: Environment): string[] {
  const xdg = env["XDG_CONFIG_HOME"];
  if (xdg) return [`${xdg}/${USER_SUFFIX}`];
  const home = env["HOME"];
  return home ? [`${home}/.config/${USER_SUFFIX}`] : [];
}

/** The reference's words, which scripts look for. */
const ACCEPTS_ANYTHING = "containers-policy.json specifies a default of `insecureAcceptAnything`; refusing usage";

/** What a policy says of images that no rule names. */
export type DefaultPolicy = "insecureAcceptAnything" | "other";

/**
 * Reads only the `default` of a policy: "other" where it has any other requirement, several, or none.
 * @throws {UserError} when the file cannot be read as JSON
 */
export async function readDefaultPolicy(path: string): Promise<DefaultPolicy> {
  try {
    const { default: requirements } = parseJsonObject(await Deno.readFile(path), "signature policy");
    const only = Array.isArray(requirements) && requirements.length === 1 ? requirements[0] : undefined;
    return only?.type === "insecureAcceptAnything" ? "insecureAcceptAnything" : "other";
  } catch (cause) {
    throw new UserError(`Cannot read the signature policy "${path}"`, { cause });
  }
}

/**
 * The policy file for an image whose signature is demanded; refused before the network is touched when it would accept everything.
 * @throws {UserError}
 */
export async function requireSignaturePolicy(root: string, env: Environment): Promise<string> {
  const path = await resolvePolicyPath(root, env);
  if (path === undefined) {
    throw new UserError("No containers-policy.json found, which a signed image needs", {
      hint: `Write /etc/containers/policy.json (containers-policy.json(5)), or name a file with ${ENV_OVERRIDE}`,
    });
  }
  if (await readDefaultPolicy(path) === "insecureAcceptAnything") {
    throw new UserError(
      ACCEPTS_ANYTHING,
      { hint: `Set "default" in "${path}" to [{"type": "reject"}] and add a rule for the image` },
    );
  }
  return path;
}
