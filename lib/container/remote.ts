/** Looking at an image where it lies, without a repository. */
import type { Digest } from "../oci/digest.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import type { OstreeImageReference } from "../oci/reference.ts";
import { openVerified } from "../skopeo/copy.ts";
import type { Context } from "../sys/context.ts";
import type { PullOptions } from "./pull.ts";

/**
 * Reads the manifest of the image for this machine's platform. Signatures are not looked at: nothing of the image is kept.
 * @throws {UserError} naming the image, with skopeo's words
 */
export async function remoteManifest(
  ctx: Context,
  { image }: OstreeImageReference,
  options: PullOptions = {},
): Promise<{ readonly digest: Digest; readonly manifest: Manifest }> {
  const { direct: _direct, isal: _isal, storeAs: _storeAs, opened: _opened, ...open } = options;
  await using opened = await openVerified(ctx, { signature: { kind: "unverified" }, image }, open);
  const { digest, bytes } = await opened.proxy.manifest(opened.imageId);
  return { digest, manifest: parseManifest(bytes) };
}
