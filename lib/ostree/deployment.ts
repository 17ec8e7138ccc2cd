/** One bootable state of the system, as libostree's boot entries list it. */
import { type Handle, keyFileText, takeText, text } from "./glib.ts";
import { libostreeIsAtLeast, ostree } from "./libostree.ts";
import { Origin } from "./origin.ts";
import { cstr } from "../sys/libc.ts";

/** Whether somebody put a writable layer over /usr (`ostree admin unlock`). */
export type UnlockedState = "none" | "development" | "hotfix" | "transient";

/** OstreeDeploymentUnlockedState, by number. */
const UNLOCKED_STATES: readonly UnlockedState[] = ["none", "development", "hotfix", "transient"];

/** A deployment at the moment of reading: values only, so it stays readable after the system root has changed. */
export interface Deployment {
  readonly stateroot: string;
  /** Of the commit that is deployed. */
  readonly checksum: string;
  /** Tells deployments of one commit apart. */
  readonly serial: number;
  /** Of kernel and initial RAM disk together; undefined while staged. */
  readonly bootChecksum: string | undefined;
  /** In order, with the `ostree=` that libostree adds to a finished one (and replaces in the next). */
  readonly kernelArguments: readonly string[];
  /** Undefined where the origin file is gone. */
  readonly origin: Origin | undefined;
  readonly pinned: boolean;
  readonly staged: boolean;
  /** Staged, but a shutdown leaves it alone (`--download-only`). */
  readonly finalizationLocked: boolean;
  readonly unlocked: UnlockedState;
  readonly booted: boolean;
  /** Absolute path of its root directory. */
  readonly path: string;
  /** User space alone could restart into it: it has the kernel and the arguments of the booted one. Before 2025.3, libostree cannot. */
  readonly softRebootCapable: boolean;
}

/** What a deployment alone does not know. */
export interface DeploymentSurroundings {
  readonly sysroot: Handle;
  readonly sysrootPath: string;
  readonly booted: boolean;
  /** The lock file of libostree before 2023.8 is there. */
  readonly lockFile: boolean;
}

/** For lib/ostree: copies what a borrowed `OstreeDeployment` says. @throws {SyntaxError} when its origin is no key file */
export function readDeployment(handle: Handle, around: DeploymentSurroundings): Deployment {
  const o = ostree();
  const config = o.ostree_deployment_get_bootconfig(handle);
  const options = config === null ? "" : text(o.ostree_bootconfig_parser_get(config, cstr("options")));
  const origin = o.ostree_deployment_get_origin(handle);
  const staged = o.ostree_deployment_is_staged(handle) !== 0;
  const locked = around.lockFile || (o.ostree_deployment_is_finalization_locked?.(handle) ?? 0) !== 0;
  const bootChecksum = text(o.ostree_deployment_get_bootcsum(handle)) || undefined;
  const relative = takeText(o.ostree_sysroot_get_deployment_dirpath(around.sysroot, handle)) ?? "";
  return {
    stateroot: text(o.ostree_deployment_get_osname(handle)),
    checksum: text(o.ostree_deployment_get_csum(handle)),
    serial: o.ostree_deployment_get_deployserial(handle),
    bootChecksum,
    kernelArguments: splitKernelArguments(options),
    origin: origin === null ? undefined : Origin.parse(keyFileText(origin)),
    pinned: o.ostree_deployment_is_pinned(handle) !== 0,
    staged,
    finalizationLocked: staged && locked,
    unlocked: UNLOCKED_STATES[o.ostree_deployment_get_unlocked(handle)] ?? "none",
    booted: around.booted,
    path: `${around.sysrootPath === "/" ? "" : around.sysrootPath}/${relative}`,
    softRebootCapable: bootChecksum !== undefined && canSoftReboot(handle, around, options),
  };
}

/** For a deployment that has a boot checksum: libostree compares it without looking whether it is there. */
function canSoftReboot(handle: Handle, { sysroot }: DeploymentSurroundings, options: string): boolean {
  const can = ostree().ostree_sysroot_deployment_can_soft_reboot;
  // Before 2025.7 it ends the process where the argument is missing.
  if (can === null || !(options.includes("ostree=") || libostreeIsAtLeast(2025, 7))) return false;
  return can(sysroot, handle) !== 0;
}

/** Splits a kernel command line at spaces that are not between double quotes, as the kernel does; quotes stay. */
export function splitKernelArguments(options: string): string[] {
  return options.match(/(?:[^\s"]|"[^"]*(?:"|$))+/g) ?? [];
}

/** Whether two readings are of the same deployment. */
export function sameDeployment(a: Deployment, b: Deployment): boolean {
  return a.stateroot === b.stateroot && a.checksum === b.checksum && a.serial === b.serial;
}
