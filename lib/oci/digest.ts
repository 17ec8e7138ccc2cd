/** Content digests (OCI image specification 1.1, "Digests"); only SHA-256, the one that every registry uses. */

/** What names a blob: the lower-case hex SHA-256 of its bytes. */
export type Digest = `sha256:${string}`;

/** @throws {SyntaxError} on another algorithm, a wrong length or upper-case digits */
export function parseDigest(text: string): Digest {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text as Digest;
  const [algorithm] = text.split(":", 1);
  if (algorithm !== "sha256" && /^[a-z0-9]+([+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/.test(text)) {
    throw new SyntaxError(`Unsupported digest algorithm "${algorithm}" in ${JSON.stringify(text)}, only sha256 is`);
  }
  throw new SyntaxError(`Invalid digest ${JSON.stringify(text.slice(0, 200))}`);
}
