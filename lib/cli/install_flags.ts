/** Flags that all ways to install share, and what they mean together. */
import { type OstreeImageReference, TRANSPORTS } from "../oci/reference.ts";
import { imageArgument } from "./image_flags.ts";
import type { CommandSpec } from "./spec.ts";

/** Which image, what the host follows, and how it boots. */
export const installFlags = {
  sourceImgref: {
    kind: "string",
    metavar: "IMGREF",
    complete: "image",
    help:
      "The image to install, as oci:DIR, docker://NAME and the like; the container that this runs in when not given",
  },
  targetImgref: {
    kind: "string",
    metavar: "NAME",
    complete: "image",
    help:
      "The image that the host follows from now on; the source when not given, at its registry if that is a container",
  },
  targetTransport: {
    kind: "string",
    metavar: "TRANSPORT",
    complete: TRANSPORTS,
    default: "registry",
    help: "Where the image of --target-imgref lies",
  },
  enforceContainerSigpolicy: {
    help: "Require a signature as containers-policy.json(5) says, now and at each upgrade",
  },
  targetNoSignatureVerification: { hidden: true, help: "Accepted for old scripts; this is the default" },
  stateroot: { kind: "string", metavar: "NAME", help: 'The stateroot; "default" when not given' },
  karg: { kind: "string", metavar: "ARG", repeated: true, help: "A kernel argument beside those of the image" },
  kargDelete: {
    kind: "string",
    metavar: "ARG",
    repeated: true,
    help: "A kernel argument of the image to leave out, by name or as NAME=VALUE",
  },
  runFetchCheck: { help: "Look first whether the image that the host follows can be fetched from here" },
  skipFetchCheck: { help: "Accepted for old scripts; without --run-fetch-check nothing is looked for" },
  bootloader: {
    kind: "enum",
    values: ["grub", "grub-cc", "systemd", "none"],
    help: "The boot loader; the one that the image has when not given. Systems of ostree take grub or none",
  },
  genericImage: {
    help:
      "Make a disk for any machine: boot loaders for all firmware, and nothing of this machine's firmware is changed",
  },
  bootupdSkipBootUuid: { help: "Where bootupd installs the boot loader: do not tie it to the UUID of /boot" },
  boundImages: {
    kind: "enum",
    values: ["stored", "skip", "pull"],
    default: "stored",
    help: "What becomes of images that the image is bound to; only skip leaves them out, the others are not there yet",
  },
  disableSelinux: { help: "Start the host without SELinux, though the image has a policy" },
  rootSshAuthorizedKeys: {
    kind: "string",
    metavar: "FILE",
    complete: "file",
    help: "Let those log in as root who have a key in FILE",
  },
  quiet: { help: "Show no progress" },
  verbose: { short: "v", help: "List the paths that the image has and an ostree tree cannot hold" },
} as const satisfies CommandSpec["flags"];

/** The part of {@linkcode installFlags} that names images. */
export interface ImageChoice {
  readonly sourceImgref: string | undefined;
  readonly targetImgref: string | undefined;
  readonly targetTransport: string;
  readonly enforceContainerSigpolicy: boolean;
}

/** What is followed: the host cannot ask the storage of the engine that ran the container, only where that got the image from. */
function targetOf(
  { sourceImgref, targetImgref, targetTransport }: ImageChoice,
  source: OstreeImageReference,
): OstreeImageReference {
  if (targetImgref !== undefined) return imageArgument(`${targetTransport}:${targetImgref}`);
  return sourceImgref === undefined ? imageArgument(`${targetTransport}:${source.image.name}`) : source;
}

/** `container` is the image that this program runs in. @throws {UsageError} when a reference is none */
export function installImages(
  choice: ImageChoice,
  container: OstreeImageReference | undefined,
): { source: OstreeImageReference; target: OstreeImageReference } | undefined {
  const named = choice.sourceImgref === undefined ? container : imageArgument(choice.sourceImgref);
  if (!named) return undefined;
  const wanted = targetOf(choice, named);
  const signed = choice.enforceContainerSigpolicy ? { signature: { kind: "containerPolicy" } as const } : {};
  return { source: { ...named, ...signed }, target: { ...wanted, ...signed } };
}
