/** An OCI image layout on disk, filled from tar files: what the demo and the benchmark serve. */
import { Sha256, sha256 } from "../lib/codec/sha256.ts";
import type { Context } from "../lib/sys/context.ts";
import { run } from "../lib/sys/run.ts";

/** How a layer is stored. */
export type LayerCompression = "gzip" | "gzip-fast" | "zstd";

/** A layer that lies in the layout. */
export interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes as stored. */
  readonly size: number;
  /** Digest of the tar itself. */
  readonly diffId: string;
}

/** What an image says of itself. */
export interface ImageOptions {
  readonly labels: Readonly<Record<string, string>>;
  /** One line a layer for its history; fewer are filled up. */
  readonly history?: readonly string[];
  /** RFC 3339. */
  readonly created?: string;
}

const ARCHITECTURE = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
const CREATED = "2026-01-01T00:00:00Z";

async function digestOf(path: string): Promise<string> {
  const hash = new Sha256();
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let n; (n = await file.read(buffer)) !== null;) hash.update(buffer.subarray(0, n));
  return `sha256:${hash.digest().toHex()}`;
}

/** Compresses beside the file and gives the new path; without a time or name in gzip's header, so that runs agree. */
async function compressFile(ctx: Context, path: string, compression: LayerCompression): Promise<string> {
  if (compression === "zstd") {
    await run(ctx, ["zstd", "-q", "-f", "-3", "-T0", path, "-o", `${path}.zst`]);
    return `${path}.zst`;
  }
  await run(ctx, ["gzip", "-n", "-f", "-k", compression === "gzip" ? "-6" : "-1", path]);
  return `${path}.gz`;
}

/** One layout directory; images are added under tags and stay readable by skopeo as `oci:DIR:TAG`. */
export class OciLayout {
  readonly path: string;
  readonly #ctx: Context;

  constructor(ctx: Context, path: string) {
    this.#ctx = ctx;
    this.path = path;
    Deno.mkdirSync(`${path}/blobs/sha256`, { recursive: true });
    Deno.writeTextFileSync(`${path}/oci-layout`, `{"imageLayoutVersion":"1.0.0"}`);
  }

  /** Compresses a tar into the layout; the tar itself is left where it is. */
  async addLayer(tar: string, compression: LayerCompression): Promise<Layer> {
    const diffId = await digestOf(tar);
    const compressed = await compressFile(this.#ctx, tar, compression);
    const digest = await digestOf(compressed);
    const { size } = await Deno.stat(compressed);
    const blob = `${this.path}/blobs/sha256/${digest.slice("sha256:".length)}`;
    await run(this.#ctx, ["mv", "--", compressed, blob]);
    const suffix = compression === "zstd" ? "zstd" : "gzip";
    return { mediaType: `application/vnd.oci.image.layer.v1.tar+${suffix}`, digest, size, diffId };
  }

  #addJson(mediaType: string, value: unknown): { mediaType: string; digest: string; size: number } {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const hex = sha256(bytes).toHex();
    Deno.writeFileSync(`${this.path}/blobs/sha256/${hex}`, bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  /** Writes manifest and configuration of an image made of these layers and points the tag at it. */
  addImage(tag: string, layers: readonly Layer[], options: ImageOptions): void {
    const created = options.created ?? CREATED;
    const config = this.#addJson("application/vnd.oci.image.config.v1+json", {
      created,
      architecture: ARCHITECTURE,
      os: "linux",
      config: { Labels: options.labels, Cmd: ["/sbin/init"] },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map((_, i) => ({ created, created_by: options.history?.[i] ?? `layer ${i + 1}` })),
    });
    const manifest = this.#addJson("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    });
    const annotations = { "org.opencontainers.image.ref.name": tag };
    const kept = this.#index().filter((entry) => entry.annotations?.[REF_NAME] !== tag);
    const index = { schemaVersion: 2, manifests: [...kept, { ...manifest, annotations }] };
    Deno.writeTextFileSync(`${this.path}/index.json`, JSON.stringify(index));
  }

  #index(): { annotations?: Record<string, string> }[] {
    try {
      return JSON.parse(Deno.readTextFileSync(`${this.path}/index.json`)).manifests;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }
}

const REF_NAME = "org.opencontainers.image.ref.name";
