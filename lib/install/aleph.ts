/** `.bootc-aleph.json` in the physical root: what the host was installed from, for whoever looks into it years later. Source: formats.md 3.8. */
import { canonicalJson } from "../oci/canonical_json.ts";

/** What is told of SELinux: for `host-disabled` the image has a policy that was not loaded where it was installed. */
export type AlephSelinux = "enabled" | "disabled" | "host-disabled" | "force-target-disabled";

/** All that it tells. */
export interface AlephFacts {
  /** Name of the image that was fetched, without its transport. */
  readonly source: string;
  /** Name of the image that the host follows, without its transport. */
  readonly target: string;
  /** Of the manifest. */
  readonly digest: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: string | null;
  /** RFC 3339 in UTC; when the image was made. */
  readonly timestamp: string | null;
  /** Release of the kernel that ran the installation. */
  readonly kernel: string;
  readonly selinux: AlephSelinux;
}

/** Canonical JSON. A source below /tmp is left out: it was an image builder's, and tells nobody anything. */
export function alephJson({ source, target, labels, ...facts }: AlephFacts): string {
  return canonicalJson({
    ...facts,
    image: source.startsWith("/tmp") ? undefined : source,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    "target-image": target,
  });
}
