/** What can be known of an image before anything of the target changes. */
import { remoteImage } from "../container/remote.ts";
import { checkImageConfig } from "../host/bootable.ts";
import { formatOstreeImageReference } from "../oci/reference.ts";
import { requireSignaturePolicy } from "../skopeo/policy.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import type { InstallRequest } from "./install.ts";
import { withScratch } from "./scratch.ts";

/**
 * Refuses an image that is not there, is not made for booting or not for this machine, or whose signature nobody would check.
 * @throws {UserError}
 */
export async function requireInstallable(ctx: Context, { source, pull }: InstallRequest): Promise<void> {
  if (source.signature.kind === "containerPolicy") await requireSignaturePolicy("/", ctx.env);
  const { config } = await remoteImage(await withScratch(ctx, "/tmp"), source, pull);
  try {
    checkImageConfig(config);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`Cannot install "${formatOstreeImageReference(source)}"`, { cause, hint: cause.hint });
  }
}
