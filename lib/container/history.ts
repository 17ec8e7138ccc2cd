/** The layers of an image beside the steps of the build that made them. */
import type { ImageConfig } from "../oci/config.ts";
import type { Manifest } from "../oci/manifest.ts";
import { formatSize } from "../oci/size.ts";

const ID_DIGITS = 20;

/**
 * A row a layer, lowest first: the first 20 digits of its digest, its size as fetched, and the step that made it (empty where the config
 * does not say). Steps without a layer are passed over.
 */
export function historyRows(
  manifest: Manifest,
  config: ImageConfig | undefined,
): [id: string, size: string, createdBy: string][] {
  const steps = config?.history.filter(({ emptyLayer }) => !emptyLayer) ?? [];
  return manifest.layers.map(({ digest, size }, index) => [
    digest.slice("sha256:".length).slice(0, ID_DIGITS),
    formatSize(size),
    steps[index]?.createdBy ?? "",
  ]);
}
