/** From what the operator asks for to a request that can be carried out. */
import { hostPullOptions, type RegistryRequest } from "../container/pull_options.ts";
import type { ReadDirectory } from "../host/kargs.ts";
import type { OstreeImageReference } from "../oci/reference.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { ostreeBootloader } from "./boot/choose.ts";
import { BOUND_IMAGES_DIRECTORY, type BoundImages, requireNoBoundImages } from "./bound_images.ts";
import { type Bootloader, type InstallConfig, readInstallConfig } from "./config.ts";
import type { InstallRequest } from "./install.ts";
import { sshKeysText } from "./ssh_keys.ts";

/** The flags that all ways to install share. */
export interface InstallOptions extends RegistryRequest {
  readonly stateroot: string | undefined;
  readonly rootMountSpec?: string | undefined;
  readonly bootMountSpec?: string | undefined;
  readonly karg: readonly string[];
  readonly kargDelete: readonly string[];
  readonly bootloader: Bootloader | undefined;
  readonly genericImage: boolean;
  readonly bootupdSkipBootUuid: boolean;
  readonly boundImages: BoundImages;
  readonly runFetchCheck: boolean;
  /** Reads the system that this runs in, where that is the image; undefined: it is another one. */
  readonly ownFiles: ReadDirectory | undefined;
  readonly disableSelinux: boolean;
  /** A file. */
  readonly rootSshAuthorizedKeys: string | undefined;
}

/** What is installed, and what the host follows. */
export interface InstallImages {
  readonly source: OstreeImageReference;
  readonly target: OstreeImageReference;
}

/**
 * Where no source is named this runs in the image, whose configuration is read as it is here, with what was mounted into the container.
 * @throws {UserError} when the keys or the configuration cannot be read, or want what is not done
 */
export async function installRequest(
  ctx: Context,
  images: InstallImages,
  options: InstallOptions,
): Promise<InstallRequest> {
  const config = options.ownFiles && await ownConfig(ctx, options.ownFiles, options);
  const bootLoader = ostreeBootloader(options.bootloader);
  if (bootLoader === undefined) ostreeBootloader(config?.bootloader);
  return {
    ...config?.enforceContainerSigpolicy === true ? signedImages(images) : images,
    config,
    stateroot: options.stateroot,
    rootMountSpec: options.rootMountSpec,
    bootMountSpec: options.bootMountSpec,
    kernelArguments: options.karg,
    deleteKernelArguments: options.kargDelete,
    bootLoader,
    genericImage: options.genericImage,
    ...options.bootupdSkipBootUuid && { bootupdSkipBootUuid: true },
    boundImages: options.boundImages,
    fetchCheck: options.runFetchCheck,
    disableSelinux: options.disableSelinux,
    sshKeys: options.rootSshAuthorizedKeys === undefined ? undefined : await readKeys(options.rootSshAuthorizedKeys),
    pull: await hostPullOptions(ctx, options, "/"),
  };
}

async function ownConfig(
  ctx: Context,
  files: ReadDirectory,
  { boundImages }: InstallOptions,
): Promise<InstallConfig> {
  const bound = await Array.fromAsync(Deno.readDir(`/${BOUND_IMAGES_DIRECTORY}`), ({ name }) => name).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return [];
  });
  requireNoBoundImages(bound, boundImages);
  return await readInstallConfig(files, { warn: ctx.note });
}

function signedImages({ source, target }: InstallImages): InstallImages {
  const signature = { kind: "containerPolicy" } as const;
  return { source: { ...source, signature }, target: { ...target, signature } };
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
