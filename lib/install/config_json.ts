/** The install configuration as image builders read it from `bootc install print-configuration` (row I12); its keys are the reference's. */
import { canonicalJson } from "../oci/canonical_json.ts";
import type { InstallConfig } from "./config.ts";

/** How much is shown. */
export interface InstallConfigJsonOptions {
  /** Also the kernel arguments, which `install to-filesystem` takes from the files by itself. */
  readonly all: boolean;
}

/** Canonical JSON. What is not set is null, but for lists of kernel arguments, which are left out. */
export function installConfigJson(config: InstallConfig, { all }: InstallConfigJsonOptions): string {
  const type = config.rootFsType;
  const skipBootUuid = config.bootupdSkipBootUuid;
  const append = config.blsAppendExceptDefault;
  const shown = (kargs: readonly string[]) => all && kargs.length > 0 ? kargs : undefined;
  return canonicalJson({
    "root-fs-type": type ?? null,
    filesystem: type === undefined ? null : { root: { type } },
    block: config.block ?? null,
    kargs: shown(config.kargs),
    "karg-deletes": shown(config.kargDeletes),
    "match-architectures": null,
    ostree: append === undefined ? null : { "bls-append-except-default": append },
    stateroot: config.stateroot ?? null,
    "root-mount-spec": config.rootMountSpec ?? null,
    "boot-mount-spec": config.bootMountSpec ?? null,
    bootupd: skipBootUuid === undefined ? null : { "skip-boot-uuid": skipBootUuid },
    bootloader: config.bootloader ?? null,
    "discoverable-partitions": config.discoverablePartitions ?? null,
    "enforce-container-sigpolicy": config.enforceContainerSigpolicy ?? null,
  });
}
