/** The smallest SELinux policy that libselinux reads: nothing looks into its binary part. */
import type { TreeEntry } from "./sysroot.ts";

/** Contexts of the tiny policy. */
export const CONTEXTS = `
/.*	system_u:object_r:default_t:s0
/usr(/.*)?	system_u:object_r:usr_t:s0
/usr/bin(/.*)?	system_u:object_r:bin_t:s0
/etc(/.*)?	system_u:object_r:etc_t:s0
/etc/shadow	--	system_u:object_r:shadow_t:s0
/run(/.*)?	<<none>>
`;

/** Its files, below a tree's `usr/etc` unless `etc` says otherwise. */
export function tinyPolicy(
  settings: { mode?: string; contexts?: string; etc?: string } = {},
): Record<string, TreeEntry> {
  const directory = `${settings.etc ?? "usr/etc"}/selinux`;
  return {
    [`${directory}/config`]: `SELINUX=${settings.mode ?? "enforcing"}\nSELINUXTYPE=tiny\n`,
    [`${directory}/tiny/contexts/files/file_contexts`]: settings.contexts ?? CONTEXTS,
    [`${directory}/tiny/policy/policy.33`]: "binary",
  };
}
