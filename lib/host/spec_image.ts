/** The image reference of the status document against the one that origin files hold. */
import {
  canonicalize,
  type OstreeImageReference,
  parseImageReference,
  type SignatureSource,
} from "../oci/reference.ts";
import type { ImageReference, ImageSignature } from "./spec.ts";

function specSignature(source: SignatureSource): ImageSignature | undefined {
  switch (source.kind) {
    case "containerPolicy":
      return "containerPolicy";
    case "ostreeRemote":
      return { ostreeRemote: source.remote };
    case "unverified":
      return undefined;
  }
}

function signatureSource(signature: ImageSignature | undefined): SignatureSource {
  if (signature === undefined || signature === "insecure") return { kind: "unverified" };
  if (signature === "containerPolicy") return { kind: "containerPolicy" };
  return { kind: "ostreeRemote", remote: signature.ostreeRemote };
}

/** The document's spelling of an origin's reference; a tag before a digest is dropped (registry only). */
export function specImage(reference: OstreeImageReference): ImageReference {
  const { transport, name } = canonicalize(reference.image);
  const signature = specSignature(reference.signature);
  return signature === undefined ? { image: name, transport } : { image: name, transport, signature };
}

/** The reference to pull and to write into an origin. @throws {SyntaxError} when the transport is unknown or the name is empty */
export function ostreeImage(image: ImageReference): OstreeImageReference {
  return {
    signature: signatureSource(image.signature),
    image: parseImageReference(`${image.transport}:${image.image}`),
  };
}

/** As people read it: the bare name for a registry, else `TRANSPORT:NAME`. */
export function imageText({ image, transport }: ImageReference): string {
  return transport === "registry" ? image : `${transport}:${image}`;
}

function signatureKey(signature: ImageSignature | undefined): string {
  return JSON.stringify(signatureSource(signature));
}

/** Whether two specifications name the same image, verified in the same way; `insecure` is the same as no signature. */
export function sameImage(a: ImageReference | null, b: ImageReference | null): boolean {
  if (a === null || b === null) return a === b;
  return a.image === b.image && a.transport === b.transport && signatureKey(a.signature) === signatureKey(b.signature);
}
