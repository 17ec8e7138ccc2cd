/** Command lines for skopeo, as pure values: skopeo-experimental-image-proxy(1), skopeo-copy(1), and the options common to both. */
import { type ImageReference, skopeoReference } from "../oci/reference.ts";
import type { Context } from "../sys/context.ts";

/** What skopeo is told; all that is left out is skopeo's own default (registries.conf, registries.d, certs.d). */
export interface ProxyOptions {
  /** File with registry logins (containers-auth.json(5)). */
  readonly authfile?: string | undefined;
  /** No login at all, also where skopeo would find one by itself; wins over `authfile`. */
  readonly authAnonymous?: boolean | undefined;
  /** Directory of certificates for the registry. */
  readonly certDir?: string | undefined;
  /** Plain http, and https without a valid certificate, are accepted. */
  readonly insecureSkipTlsVerification?: boolean | undefined;
  /** containers-policy.json(5) to apply. */
  readonly policyPath?: string | undefined;
  /** Where blobs are put that cannot be read as a stream (containers-storage:, archives), each whole; skopeo's own is /var/tmp. */
  readonly temporaryDirectory?: string | undefined;
  /** Put before skopeo's own User-Agent ("bootc/1.2"); only skopeo 1.21 and later can. */
  readonly userAgentPrefix?: string | undefined;
}

/** What the caller's TMPDIR says, which skopeo itself does not look at for whole blobs. */
export function temporaryOf({ env }: Pick<Context, "env">): Pick<ProxyOptions, "temporaryDirectory"> {
  return { temporaryDirectory: env["TMPDIR"] || undefined };
}

/** The number that skopeo finds its end of the packet socket under. */
export const PROXY_DESCRIPTOR = 3;

/** `skopeo experimental-image-proxy` on descriptor 3. */
export function proxyArgv(program: string, options: ProxyOptions): [string, ...string[]] {
  // deno-fmt-ignore
  return [
    program,
    ...globalOptions(options),
    "experimental-image-proxy",
    "--sockfd", String(PROXY_DESCRIPTOR),
    ...registryOptions(options, ""),
  ];
}

/** `skopeo copy` of one image into a new `dir:` directory, which keeps the manifest byte for byte. */
export function copyArgv(
  program: string,
  { image, directory }: { image: ImageReference; directory: string },
  options: ProxyOptions,
): [string, ...string[]] {
  // deno-fmt-ignore
  return [
    program,
    ...globalOptions(options),
    "copy",
    "--quiet",
    "--remove-signatures", // checked on the way in, and of no use in the copy
    ...registryOptions(options, "src-"),
    "--", skopeoReference(image), `dir:${directory}`,
  ];
}

function globalOptions(options: ProxyOptions): string[] {
  // deno-fmt-ignore
  return [
    ...(options.policyPath === undefined ? [] : ["--policy", options.policyPath]),
    ...(options.temporaryDirectory === undefined ? [] : ["--tmpdir", options.temporaryDirectory]),
    ...(options.userAgentPrefix === undefined ? [] : ["--user-agent-prefix", options.userAgentPrefix]),
  ];
}

/** `copy` has each of these twice; `side` is the prefix of the source's. */
function registryOptions(options: ProxyOptions, side: "" | "src-"): string[] {
  // deno-fmt-ignore
  return [
    ...(options.authAnonymous ? [`--${side}no-creds`] : []),
    ...(options.authfile === undefined || options.authAnonymous ? [] : [`--${side}authfile`, options.authfile]),
    ...(options.certDir === undefined ? [] : [`--${side}cert-dir`, options.certDir]),
    ...(options.insecureSkipTlsVerification ? [`--${side}tls-verify=false`] : []),
  ];
}
