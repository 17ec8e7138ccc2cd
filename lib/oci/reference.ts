/**
 * Names of images: `TRANSPORT:NAME` as skopeo has them, and the form that origin files carry, which also says how the signature is
 * checked (bootc `ostree-ext/src/container/mod.rs`, 1.16).
 */

/** Every transport, by the word that `--transport` takes. */
export const TRANSPORTS = [
  "registry",
  "oci",
  "oci-archive",
  "docker-archive",
  "containers-storage",
  "docker-daemon",
  "dir",
] as const;

/** Where an image lies. `registry` is written `docker://` or `registry:`. */
export type Transport = typeof TRANSPORTS[number];

/** An image, without a word on signatures. */
export interface ImageReference {
  readonly transport: Transport;
  /** What stands behind the transport, untouched: a registry name, or a path. */
  readonly name: string;
}

/** How an image is trusted. */
export type SignatureSource =
  /** `policy.json` must accept it, and must not accept everything by default. */
  | { readonly kind: "containerPolicy" }
  /** No demand of ours; skopeo still applies `policy.json`. */
  | { readonly kind: "unverified" }
  /** The ostree commit inside must be signed by a key of this ostree remote. */
  | { readonly kind: "ostreeRemote"; readonly remote: string };

/** What an origin file names. */
export interface OstreeImageReference {
  readonly signature: SignatureSource;
  readonly image: ImageReference;
}

function isTransport(text: string): text is Transport {
  return (TRANSPORTS as readonly string[]).includes(text);
}

/**
 * The transport of a word ("registry", "oci", ...), as `--transport` takes it.
 * @throws {SyntaxError}
 */
export function parseTransport(text: string): Transport {
  if (isTransport(text)) return text;
  throw new SyntaxError(`Unknown transport ${JSON.stringify(text)}`);
}

/**
 * `docker://NAME`, `registry:NAME`, `oci:PATH[:TAG]`, ...
 * @throws {SyntaxError} on an unknown transport, an empty name, or a control character
 */
export function parseImageReference(text: string): ImageReference {
  const [scheme, rest] = splitOnce(text);
  if (rest === undefined) throw new SyntaxError(`Missing ":" in image reference ${JSON.stringify(text)}`);
  if (scheme === "docker" && !rest.startsWith("//")) {
    throw new SyntaxError(`Missing "//" behind "docker:" in image reference ${JSON.stringify(text)}`);
  }
  const transport = scheme === "docker" ? "registry" : scheme;
  if (!isTransport(transport)) {
    throw new SyntaxError(`Unknown transport ${JSON.stringify(scheme)} in image reference ${JSON.stringify(text)}`);
  }
  const name = scheme === "docker" ? rest.slice(2) : rest;
  assertName(name, text);
  return { transport, name };
}

function assertName(name: string, text: string): void {
  if (name === "") throw new SyntaxError(`Empty name in image reference ${JSON.stringify(text)}`);
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f]/.test(name)) {
    throw new SyntaxError(`Control character in image reference ${JSON.stringify(text)}`);
  }
}

/** `docker://NAME` for a registry, `TRANSPORT:NAME` else: the form of ref names and messages. */
export function formatImageReference(reference: ImageReference): string {
  return reference.transport === "registry" ? `docker://${reference.name}` : `${reference.transport}:${reference.name}`;
}

/** The same for skopeo, which refuses a tag beside a digest: the digest stays. */
export function skopeoReference(reference: ImageReference): string {
  return formatImageReference(canonicalize(reference));
}

/**
 * `ostree-image-signed:IMAGE`, `ostree-unverified-image:IMAGE`, `ostree-unverified-registry:NAME`, `ostree-remote-image:REMOTE:IMAGE` or
 * `ostree-remote-registry:REMOTE:NAME`.
 * @throws {SyntaxError}
 */
export function parseOstreeImageReference(text: string): OstreeImageReference {
  const [scheme, rest] = splitOnce(text);
  if (rest === undefined) throw new SyntaxError(`Missing ":" in ostree image reference ${JSON.stringify(text)}`);
  switch (scheme) {
    case "ostree-image-signed":
      return { signature: { kind: "containerPolicy" }, image: parseImageReference(rest) };
    case "ostree-unverified-image":
      return { signature: { kind: "unverified" }, image: parseImageReference(rest) };
    case "ostree-unverified-registry":
      return { signature: { kind: "unverified" }, image: parseImageReference(`registry:${rest}`) };
    case "ostree-remote-image":
    case "ostree-remote-registry": {
      const [remote, image] = splitOnce(rest);
      if (image === undefined || remote === "") {
        throw new SyntaxError(`Missing remote in ostree image reference ${JSON.stringify(text)}`);
      }
      return {
        signature: { kind: "ostreeRemote", remote },
        image: parseImageReference(scheme === "ostree-remote-image" ? image : `registry:${image}`),
      };
    }
    default:
      throw new SyntaxError(`Invalid ostree image reference scheme: ${scheme}`);
  }
}

/** The form of origin files; an unverified image of a registry is shortened to `ostree-unverified-registry:NAME`. */
export function formatOstreeImageReference({ signature, image }: OstreeImageReference): string {
  switch (signature.kind) {
    case "containerPolicy":
      return `ostree-image-signed:${formatImageReference(image)}`;
    case "ostreeRemote":
      return `ostree-remote-image:${signature.remote}:${formatImageReference(image)}`;
    case "unverified":
      return image.transport === "registry"
        ? `ostree-unverified-registry:${image.name}`
        : `ostree-unverified-image:${formatImageReference(image)}`;
  }
}

/** Either form; a plain one is unverified. @throws {SyntaxError} */
export function parseAnyImageReference(text: string): OstreeImageReference {
  return text.startsWith("ostree-")
    ? parseOstreeImageReference(text)
    : { signature: { kind: "unverified" }, image: parseImageReference(text) };
}

/** A registry name with both tag and digest loses the tag; every other name stays as it is. */
export function canonicalize(reference: ImageReference): ImageReference {
  if (reference.transport !== "registry") return reference;
  const { base, tag, digest } = splitName(reference.name);
  return tag === undefined || digest === undefined ? reference : { ...reference, name: `${base}@${digest}` };
}

/**
 * The same image under another tag; a digest is dropped, since it would fix the image.
 * @throws {SyntaxError} when the tag has a wrong shape or the transport knows none
 */
export function withTag(reference: ImageReference, tag: string): ImageReference {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag)) throw new SyntaxError(`Invalid tag ${JSON.stringify(tag)}`);
  if (reference.transport === "dir") throw new SyntaxError(`Transport "dir" has no tags`);
  return { ...reference, name: `${splitName(reference.name).base}:${tag}` };
}

/** `base[:tag][@digest]`; a colon before the last slash is a port or part of a path. */
function splitName(name: string): { base: string; tag: string | undefined; digest: string | undefined } {
  const at = /@([a-z0-9]+:[0-9A-Fa-f]+)$/.exec(name);
  const undigested = at === null ? name : name.slice(0, at.index);
  const colon = undigested.indexOf(":", undigested.lastIndexOf("/") + 1);
  return {
    base: colon < 0 ? undigested : undigested.slice(0, colon),
    tag: colon < 0 ? undefined : undigested.slice(colon + 1),
    digest: at?.[1],
  };
}

function splitOnce(text: string): [string, string | undefined] {
  const colon = text.indexOf(":");
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}
