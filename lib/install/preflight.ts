/** What can be known of an image before anything of the target changes. */
import { openImage } from "../container/pull.ts";
import { checkImageConfig } from "../host/bootable.ts";
import { parseImageConfig } from "../oci/config.ts";
import { formatOstreeImageReference } from "../oci/reference.ts";
import type { OpenedImage } from "../skopeo/copy.ts";
import { requireSignaturePolicy } from "../skopeo/policy.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import type { InstallRequest } from "./install.ts";
import { withScratch } from "./scratch.ts";

/**
 * Opens the image, for `install()` to take; refuses one that is not there, is not made for booting or not for this machine, or whose signature
 * nobody would check. Undefined where tools need room on the target, which is not there yet: `install()` opens it anew then.
 * @throws {UserError}
 */
export async function openInstallable(ctx: Context, request: InstallRequest): Promise<OpenedImage | undefined> {
  const { source, pull } = request;
  if (request.fetchCheck) await requireFetchable(ctx, request);
  const scratch = await withScratch(ctx, "/tmp");
  if (source.signature.kind === "containerPolicy") await requireSignaturePolicy("/", ctx.env);
  await using stack = new AsyncDisposableStack();
  const opened = stack.use(await openImage(scratch, source, scratch === ctx ? pull : { ...pull, launched: undefined }));
  const config = parseImageConfig(await opened.proxy.config(opened.imageId));
  try {
    checkImageConfig(config);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`Cannot install "${formatOstreeImageReference(source)}"`, { cause, hint: cause.hint });
  }
  if (scratch !== ctx) return undefined;
  stack.move();
  return opened;
}

/**
 * Refuses where the image that the host is to follow cannot be opened from here.
 * @throws {UserError}
 */
async function requireFetchable(ctx: Context, { target, pull }: InstallRequest): Promise<void> {
  try {
    await using opened = await openImage(ctx, target, { ...pull, launched: undefined });
    await opened.proxy.manifest(opened.imageId);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(
      `The host could not fetch the image that it is to follow, "${formatOstreeImageReference(target)}"`,
      {
        cause,
        hint: "Give another --target-imgref, or leave --run-fetch-check out; nothing was changed",
      },
    );
  }
}
