/**
 * Pulling an image into a repository: opened through skopeo, compared with what is stored, its missing layers imported, all merged.
 *
 * Every layer has a transaction of its own, and its ref is set only when digest, size and diff_id are right (trap T19): a kill at any moment
 * leaves finished layers, which the next pull reuses, and unfinished ones in `tmp/`, which it resumes or libostree expires.
 */
import { parseImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { formatOstreeImageReference, type ImageReference, type OstreeImageReference } from "../oci/reference.ts";
import type { Repo } from "../ostree/repo.ts";
import type { ObjectStore } from "../ostree/store.ts";
import { type OpenedImage, type OpenOptions, openVerified } from "../skopeo/copy.ts";
import type { Context } from "../sys/context.ts";
import { Interrupted, UserError } from "../sys/errors.ts";
import { fstatvfs } from "../sys/libc.ts";
import type { ReportProgress } from "../sys/progress.ts";
import { tidyLayers } from "./gc.ts";
import { type ImageDescription, type StoredImage, storedImage } from "./images.ts";
import type { ImageLayout } from "./layout.ts";
import type { PullPlan } from "./plan.ts";

/** The half of the program that fetches and writes: an upgrade with nothing new never loads it. */
const loadImporter = () => import("./importer.ts");

/** How an image is pulled. */
export interface PullOptions extends OpenOptions {
  /** False: objects go through libostree's API only. */
  readonly direct?: boolean;
  /** False: gzip goes through zlib. */
  readonly isal?: boolean;
  /** The reference that the image is stored under, where it is not the one it is pulled from; null: under none, only its layers are. */
  readonly storeAs?: ImageReference | null;
  /** The image, opened under the same options before; the pull's to dispose of. */
  readonly opened?: OpenedImage | undefined;
}

/** Everything that is known of an image before its layers are fetched. */
export interface PreparedPull {
  readonly image: ImageDescription & { readonly config: NonNullable<ImageDescription["config"]> };
  readonly layout: ImageLayout;
  readonly plan: PullPlan;
}

/** What a pull left. */
export interface PulledImage {
  readonly image: StoredImage;
  /** Layers that were imported now. */
  readonly imported: number;
  /** Top-level names that ostree trees cannot hold, with the number of paths under each; and the first of these paths. */
  readonly dropped: ReadonlyMap<string, number>;
  readonly droppedPaths: readonly string[];
}

/** An image that is open at its registry; disposing of it ends skopeo. */
export class ImagePull implements AsyncDisposable {
  private constructor(
    readonly ctx: Context,
    readonly repo: Repo,
    readonly reference: OstreeImageReference,
    readonly options: PullOptions,
    readonly opened: OpenedImage,
    /** Of the platform's manifest. */
    readonly digest: Digest,
    readonly manifest: Manifest,
    /** What is stored under this reference now. */
    readonly previous: StoredImage | undefined,
  ) {}

  /**
   * Opens an image and reads its manifest; the signature policy is applied here.
   * @throws {UserError} naming the image, with skopeo's words
   */
  static async open(
    ctx: Context,
    repo: Repo,
    reference: OstreeImageReference,
    options: PullOptions = {},
  ): Promise<ImagePull> {
    const { storeAs = reference.image } = options;
    const previous = storeAs === null ? undefined : readableImage(repo, storeAs);
    const opened = options.opened ?? await openImage(ctx, reference, options);
    try {
      const { digest, bytes } = await opened.proxy.manifest(opened.imageId);
      return new ImagePull(ctx, repo, reference, options, opened, digest, parseManifest(bytes), previous);
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The reference that the image is stored under; undefined where only its layers are. */
  get storedAs(): ImageReference | undefined {
    const { storeAs = this.reference.image } = this.options;
    return storeAs ?? undefined;
  }

  /** The registry has what is stored under this reference already. */
  get unchanged(): boolean {
    return this.previous?.digest === this.digest;
  }

  /**
   * Reads the config and decides what is to be fetched.
   * @throws {UserError} naming the image, when manifest, config and stored layers do not fit together
   * @throws {Interrupted}
   */
  async prepare(): Promise<PreparedPull> {
    try {
      const { imageLayout, planPull, RepositoryLayers } = await loadImporter();
      const config = parseImageConfig(await this.opened.proxy.config(this.opened.imageId));
      const layout = imageLayout(this.manifest, config);
      const plan = planPull(layout, new RepositoryLayers(this.repo, config));
      return { image: { digest: this.digest, manifest: this.manifest, config }, layout, plan };
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /**
   * Fetches, imports and merges. Commit point: the image's ref; see the module's comment.
   * @throws {UserError} naming image, layer and entry, when something is damaged or the disk is too small
   * @throws {Interrupted}
   */
  async import(prepared: PreparedPull, report: ReportProgress = () => {}): Promise<PulledImage> {
    const { LayerImport } = await loadImporter();
    return await this.write(prepared.plan, async (store) => {
      const pulled = await new LayerImport(this, prepared, store, report).run();
      // Layers without an image would all go.
      if (this.storedAs) tidyLayers(this.ctx, this.repo);
      return pulled;
    });
  }

  /**
   * Does work that fetches what a plan says and writes it, once it is sure to fit; the store ends with it.
   * @throws {UserError} naming the image
   * @throws {Interrupted}
   */
  async write<T>(plan: PullPlan, work: (store: ObjectStore) => Promise<T>): Promise<T> {
    const { openStore, releaseText, requireSpace } = await loadImporter();
    requireSpace(plan, {
      image: this.reference.image.name,
      availableBytes: fstatvfs(this.repo.directory).availableBytes,
      reservedBytes: this.repo.minFreeSpaceBytes(),
    });
    releaseText();
    using store = openStore(this.repo, this.options);
    try {
      return await work(store);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  #failed(cause: unknown): Error {
    if (cause instanceof Interrupted || this.ctx.signal.aborted) return new Interrupted();
    const hint = cause instanceof UserError ? cause.hint : undefined;
    return new UserError(`Cannot pull "${formatOstreeImageReference(this.reference)}"`, { cause, hint });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.opened[Symbol.asyncDispose]();
  }
}

/**
 * Opens an image as a pull does; for a look at it before there is a repository.
 * @throws {UserError} naming the image, with skopeo's words
 */
export async function openImage(
  ctx: Context,
  reference: OstreeImageReference,
  options: PullOptions = {},
): Promise<OpenedImage> {
  if (reference.signature.kind === "ostreeRemote") {
    throw new UserError(
      `Cannot pull "${formatOstreeImageReference(reference)}": signatures of ostree remotes are not verified`,
      {
        hint:
          "Use a containers-policy.json with ostree-image-signed:, or ostree-unverified-image: without verification",
      },
    );
  }
  const { direct: _direct, isal: _isal, storeAs: _storeAs, opened: _opened, ...open } = options;
  return await openVerified(ctx, reference, open);
}

/** A stored image whose metadata is damaged is replaced like none. */
function readableImage(repo: Repo, image: ImageReference): StoredImage | undefined {
  try {
    return storedImage(repo, image);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
