/** Looking at an image where it lies, without a repository. */
import { type ImageConfig, parseImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import type { OstreeImageReference } from "../oci/reference.ts";
import { openVerified } from "../skopeo/copy.ts";
import type { Context } from "../sys/context.ts";
import type { PullOptions } from "./pull.ts";

/** An image where it lies. */
export interface RemoteImage {
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/**
 * Reads manifest and configuration of the image for this machine's platform, under the same policy as a pull; nothing of it is kept.
 * @throws {UserError} naming the image, with skopeo's words
 */
export async function remoteImage(
  ctx: Context,
  reference: OstreeImageReference,
  options: PullOptions = {},
): Promise<RemoteImage> {
  const { direct: _direct, isal: _isal, storeAs: _storeAs, ...open } = options;
  await using opened = await openVerified(ctx, reference, open);
  const { digest, bytes } = await opened.proxy.manifest(opened.imageId);
  const config = parseImageConfig(await opened.proxy.config(opened.imageId));
  return { digest, manifest: parseManifest(bytes), config };
}

/**
 * Reads the manifest of the image for this machine's platform. Signatures are not looked at: nothing of the image is kept.
 * @throws {UserError} naming the image, with skopeo's words
 */
export async function remoteManifest(
  ctx: Context,
  { image }: OstreeImageReference,
  options: PullOptions = {},
): Promise<{ readonly digest: Digest; readonly manifest: Manifest }> {
  const { direct: _direct, isal: _isal, storeAs: _storeAs, ...open } = options;
  await using opened = await openVerified(ctx, { signature: { kind: "unverified" }, image }, open);
  const { digest, bytes } = await opened.proxy.manifest(opened.imageId);
  return { digest, manifest: parseManifest(bytes) };
}
