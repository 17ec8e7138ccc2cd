/** Tiny images written by hand into an `oci:` directory: the proxy does not look into layers, so any bytes will do. */

type Bytes = Uint8Array<ArrayBuffer>;

/** What {@linkcode writeOciDir} makes. */
export interface OciDirOptions {
  /** Layers as stored; random-looking gzip data of 1 kB when not given. */
  readonly layers?: readonly Bytes[];
  /** Laid over the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Laid over the manifest. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Docker's media types instead of OCI's; readable behind a registry, not from the directory. */
  readonly docker?: boolean;
}

/** The image that was written. */
export interface WrittenImage {
  readonly manifestDigest: string;
  readonly manifest: Bytes;
  readonly configDigest: string;
  readonly layers: readonly { readonly digest: `sha256:${string}`; readonly size: number; readonly bytes: Bytes }[];
}

/** Bytes that look random and are the same in each run. */
export function noise(length: number, seed = 1): Bytes {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

/** gzip, so that `skopeo copy` to a registry keeps it byte for byte. */
export async function gzip(bytes: Bytes): Promise<Bytes> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

/** "sha256:..." of some bytes. */
export async function digestOf(bytes: Bytes): Promise<`sha256:${string}`> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}

const TYPES = {
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
};

/** Writes one image, tagged "latest", as an image layout. */
export async function writeOciDir(path: string, options: OciDirOptions = {}): Promise<WrittenImage> {
  const types = options.docker ? TYPES.docker : TYPES.oci;
  const bodies = options.layers ?? [await gzip(noise(1000))];
  await Deno.mkdir(`${path}/blobs/sha256`, { recursive: true });
  const put = async (bytes: Bytes) => {
    const digest = await digestOf(bytes);
    await Deno.writeFile(`${path}/blobs/sha256/${digest.slice(7)}`, bytes);
    return { digest, size: bytes.length, bytes };
  };
  const json = (value: unknown): Bytes => new TextEncoder().encode(JSON.stringify(value));
  const layers = await Promise.all(bodies.map(put));
  const config = await put(json({
    architecture: "amd64",
    os: "linux",
    created: "2024-01-02T03:04:05Z",
    config: { Labels: { "containers.bootc": "1" } },
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created_by: "test" })),
    ...options.config,
  }));
  const manifest = await put(json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest: config.digest, size: config.size },
    layers: layers.map(({ digest, size }) => ({ mediaType: types.layer, digest, size })),
    ...options.manifest,
  }));
  const entry = {
    mediaType: types.manifest,
    digest: manifest.digest,
    size: manifest.size,
    annotations: { "org.opencontainers.image.ref.name": "latest" },
  };
  await Deno.writeFile(`${path}/index.json`, json({ schemaVersion: 2, manifests: [entry] }));
  await Deno.writeFile(`${path}/oci-layout`, json({ imageLayoutVersion: "1.0.0" }));
  return { manifestDigest: manifest.digest, manifest: manifest.bytes, configDigest: config.digest, layers };
}
