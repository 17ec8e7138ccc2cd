/** Every lint there is, in the order of their names. */
import { apiBaseDirectories } from "./api_base_directories.ts";
import { baseimageComposefs, baseimageRoot, prepareRoot } from "./baseimage.ts";
import { bootcKargs } from "./bootc_kargs.ts";
import { buildahInjected } from "./buildah_injected.ts";
import { dpkgDatabase } from "./dpkg_database.ts";
import { etcUsretc } from "./etc_usretc.ts";
import { initramfs, kernel } from "./kernel.ts";
import type { Lint } from "./lint.ts";
import { machineId } from "./machine_id.ts";
import { nonemptyBoot } from "./nonempty_boot.ts";
import { nonemptyRunTmp } from "./nonempty_run_tmp.ts";
import { specialFiles } from "./special_files.ts";
import { sysusers } from "./sysusers.ts";
import { droppedContent, stateDirectories } from "./top_level.ts";
import { utf8 } from "./utf8.ts";
import { varLog } from "./var_log.ts";
import { varRun } from "./var_run.ts";
import { varTmpfiles } from "./var_tmpfiles.ts";

export const LINTS: readonly Lint[] = [
  apiBaseDirectories,
  baseimageComposefs,
  baseimageRoot,
  bootcKargs,
  buildahInjected,
  dpkgDatabase,
  droppedContent,
  etcUsretc,
  initramfs,
  kernel,
  machineId,
  nonemptyBoot,
  nonemptyRunTmp,
  prepareRoot,
  specialFiles,
  stateDirectories,
  sysusers,
  utf8,
  varLog,
  varRun,
  varTmpfiles,
];
