/** From a command's flags and environment to how an image is opened and pulled. */
import { findRegistryAuth } from "../skopeo/auth.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import type { PullOptions } from "./pull.ts";

/** What the command line says of the registry; a flag that was not given is undefined or false. */
export interface RegistryRequest {
  readonly authfile?: string | undefined;
  readonly authAnonymous?: boolean | undefined;
  readonly certDir?: string | undefined;
  readonly insecureSkipTlsVerification?: boolean | undefined;
}

/** For tests: switches off faster ways that leave the same repository (`isal`, `direct`; a comma between them). */
const DISABLE = "BOOTC_TEST_DISABLE";

/** What {@linkcode DISABLE} in the environment says. @throws {UserError} on a word that it does not know, lest a test prove nothing */
export function testSwitches({ env }: Context): Pick<PullOptions, "isal" | "direct"> {
  const words = new Set((env[DISABLE] ?? "").split(",").map((word) => word.trim()).filter((word) => word !== ""));
  for (const word of words) {
    if (word !== "isal" && word !== "direct") throw new UserError(`${DISABLE} names "${word}", which is unknown`);
  }
  return { isal: !words.has("isal"), direct: !words.has("direct") };
}

/** For a repository of its own: logins as the flags say, else as skopeo finds them. */
export function pullOptions(ctx: Context, registry: RegistryRequest): PullOptions {
  const { authfile, authAnonymous, certDir, insecureSkipTlsVerification } = registry;
  return { authfile, authAnonymous, certDir, insecureSkipTlsVerification, ...testSwitches(ctx) };
}

/**
 * For a host: logins as the flags say, else those of the host in `root`, and no others (row U27). The signature policy is always that of the
 * system that runs: it says what its administrator trusts.
 */
export async function hostPullOptions(ctx: Context, registry: RegistryRequest, root: string): Promise<PullOptions> {
  return { ...pullOptions(ctx, registry), ...await findRegistryAuth(root, ctx.env, registry) };
}
