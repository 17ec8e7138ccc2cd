/** From what the operator asks for to a request that can be carried out. */
import { hostPullOptions, type RegistryRequest } from "../container/pull_options.ts";
import type { OstreeImageReference } from "../oci/reference.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import type { InstallRequest } from "./install.ts";
import { sshKeysText } from "./ssh_keys.ts";

/** The flags that all ways to install share. */
export interface InstallOptions extends RegistryRequest {
  readonly stateroot: string | undefined;
  readonly rootMountSpec?: string | undefined;
  readonly bootMountSpec?: string | undefined;
  readonly karg: readonly string[];
  readonly kargDelete: readonly string[];
  readonly bootloader: "grub" | "none" | undefined;
  readonly disableSelinux: boolean;
  /** A file. */
  readonly rootSshAuthorizedKeys: string | undefined;
}

/** What is installed, and what the host follows. */
export interface InstallImages {
  readonly source: OstreeImageReference;
  readonly target: OstreeImageReference;
}

/** @throws {UserError} when the keys cannot be read */
export async function installRequest(
  ctx: Context,
  images: InstallImages,
  options: InstallOptions,
): Promise<InstallRequest> {
  return {
    ...images,
    stateroot: options.stateroot,
    rootMountSpec: options.rootMountSpec,
    bootMountSpec: options.bootMountSpec,
    kernelArguments: options.karg,
    deleteKernelArguments: options.kargDelete,
    bootLoader: options.bootloader,
    disableSelinux: options.disableSelinux,
    sshKeys: options.rootSshAuthorizedKeys === undefined ? undefined : await readKeys(options.rootSshAuthorizedKeys),
    pull: await hostPullOptions(ctx, options, "/"),
  };
}

async function readKeys(path: string): Promise<string> {
  try {
    return sshKeysText(await Deno.readFile(path));
  } catch (cause) {
    throw new UserError(`Cannot read the SSH keys in "${path}"`, { cause });
  }
}

/** Says of a failure half-way that the target is lost. */
export async function onTarget<Result>(
  { name, again }: { name: string; again: string },
  use: () => Promise<Result>,
): Promise<Result> {
  try {
    return await use();
  } catch (cause) {
    const hint = cause instanceof UserError && cause.hint !== undefined ? `${cause.hint}; then ${again}` : again;
    throw new UserError(`Cannot install on "${name}", which is unusable now`, { cause, hint });
  }
}
