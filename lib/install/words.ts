/** What an installation says at its end. */
import { describeImage } from "../host/image_state.ts";
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import type { Installed } from "./install.ts";

/** Image, version, digest, how it boots, and what it follows where that is another image. */
export function installedText(
  { image, bootLoader, stateroot, follows }: Installed,
  { source }: { source: OstreeImageReference },
  where: string,
): string {
  const version = image.config && describeImage(image.digest, image.config).version;
  const [from, to] = [formatOstreeImageReference(source), formatOstreeImageReference(follows)];
  return [
    `Installed: ${from} on ${where}`,
    ...(version ? [`  Version: ${version}`] : []),
    `  Digest: ${image.digest}`,
    ...(to === from ? [] : [`  Follows: ${to}`]),
    `  Stateroot: ${stateroot}`,
    `  Boot loader: ${bootLoader}`,
    "",
  ].join("\n");
}

/** What came of completing an installation: the kernel arguments that were added. */
export function completedText(added: readonly string[]): string {
  return added.length === 0 ? "No kernel argument was missing.\n" : `Added kernel arguments: ${added.join(" ")}\n`;
}
