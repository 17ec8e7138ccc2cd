/** What `upgrade` and `switch` say of an image, in the reference's words. */
import type { StoredImage } from "../container/images.ts";
import type { PulledImage } from "../container/pull.ts";
import { compareLayers, formatLayerDifference } from "../oci/compare.ts";
import { imageVersion } from "../oci/config.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { ImageReference } from "./spec.ts";
import { imageText } from "./spec_image.ts";

/** What is shown of an image. */
type Shown = Pick<StoredImage, "digest" | "config" | "manifest">;

function versionAndDigest({ digest, config }: Shown): string[] {
  const version = config && imageVersion(config);
  return [...(version === undefined ? [] : [`  Version: ${version}`]), `  Digest: ${digest}`];
}

/** The image that boots next, and how its layers differ from the old one's. */
export function queuedText(target: ImageReference, image: Shown, before: Manifest | undefined): string {
  const lines = [`Queued for next boot: ${imageText(target)}`, ...versionAndDigest(image)];
  if (before) lines.push(formatLayerDifference(compareLayers(before, image.manifest)));
  return lines.join("\n") + "\n";
}

/** The answer of `upgrade --check` when there is another image; `name` is the reference with its transport. */
export function availableText(name: string, image: Shown, before: Manifest | undefined): string {
  const lines = [`Update available for: ${name}`, ...versionAndDigest(image)];
  if (before) lines.push(formatLayerDifference(compareLayers(before, image.manifest)));
  return lines.join("\n") + "\n";
}

/** The lines about paths that an ostree tree cannot hold and that were left out (trap T26); `verbose` lists them. */
export function droppedLines(
  pulled: Pick<PulledImage, "dropped" | "droppedPaths"> | undefined,
  verbose: boolean,
): string[] {
  if (!pulled || pulled.dropped.size === 0) return [];
  const counts = [...pulled.dropped].toSorted(([a], [b]) => a < b ? -1 : 1).map(([top, count]) => `${top}: ${count}`);
  const paths = verbose ? pulled.droppedPaths.map((path) => `- ${path}`) : [];
  return [`Image contains non-ostree compatible file paths: ${counts.join(", ")}`, ...paths];
}
