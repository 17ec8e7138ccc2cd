/** Opens an image the way its reference demands: under a signature policy that means something, or plainly. */
import { formatImageReference, type ImageReference, type OstreeImageReference } from "../oci/reference.ts";
import type { Context } from "../sys/context.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { run } from "../sys/run.ts";
import { copyArgv, type ProxyOptions, temporaryOf } from "./argv.ts";
import { requireSignaturePolicy, resolvePolicyPath } from "./policy.ts";
import { ImageProxy } from "./proxy.ts";
import { isAtLeast, PROXY_CHECKS_POLICY, skopeoVersion } from "./version.ts";
import { hintFor, skopeoWords } from "./words.ts";

/** {@linkcode ProxyOptions}, and where policy and room are looked for. */
export interface OpenOptions extends ProxyOptions {
  /** The system whose policy counts; "/" when not given. */
  readonly root?: string | undefined;
  /** Where a copy is put when one is needed, a whole image; `TMPDIR` or /var/tmp when not given. */
  readonly temporaryDirectory?: string | undefined;
  /** A proxy that was started ahead with the same options. */
  readonly launched?: ProxyLaunch | undefined;
}

/**
 * A proxy on its way up while the caller does something else; `openVerified()` takes it over. Disposing ends it, unless it was taken.
 */
export class ProxyLaunch implements AsyncDisposable {
  #proxy: Promise<ImageProxy> | undefined;

  private constructor(proxy: Promise<ImageProxy>) {
    this.#proxy = proxy;
    proxy.catch(() => {}); // told to whoever takes it
  }

  /** Starts skopeo as any reference needs it and does not wait for its answer. @throws {UserError} when the policy file cannot be found */
  static async begin(ctx: Context, options: OpenOptions = {}): Promise<ProxyLaunch> {
    const { root = "/", temporaryDirectory: _directory, launched: _launched, ...rest } = options;
    const policyPath = rest.policyPath ?? await resolvePolicyPath(root, ctx.env);
    return new ProxyLaunch(ImageProxy.start(ctx, { ...rest, policyPath }));
  }

  /** The proxy, which is the caller's to dispose of from now on. */
  take(): Promise<ImageProxy> {
    const proxy = this.#proxy;
    if (!proxy) throw new TypeError("This proxy was taken already");
    this.#proxy = undefined;
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const proxy = await this.#proxy?.catch(() => undefined);
    this.#proxy = undefined;
    await proxy?.[Symbol.asyncDispose]();
  }
}

/** An open image and the proxy it is open in; disposing ends the proxy and removes a copy. */
export interface OpenedImage extends AsyncDisposable {
  readonly proxy: ImageProxy;
  readonly imageId: number;
  /** The source has layers uncompressed, and finds them by their diff_ids only. */
  readonly byDiffId: boolean;
}

/**
 * `ostree-image-signed:` needs a policy whose default is not to accept anything; skopeo applies it when it opens the image, and where skopeo
 * is older than 1.13, whose proxy does not, when it copies the image to a temporary directory, which is then opened instead.
 * The other references are opened under the system's policy as skopeo finds it, like the reference does: no demand is added, but a policy
 * that rejects the image rejects it here too (skopeo 1.13 and later). The commit signature of `ostree-remote-image:` is the importer's to check.
 *
 * @throws {UserError} `Cannot open image "...": ...`, or the refusal of {@linkcode requireSignaturePolicy} before any network access
 * @throws {ToolError} @throws {Interrupted}
 */
export async function openVerified(
  ctx: Context,
  reference: OstreeImageReference,
  options: OpenOptions = {},
): Promise<OpenedImage> {
  const { root = "/", temporaryDirectory, launched, ...rest } = options;
  const policyPath = rest.policyPath ?? await policyOf(reference, root, ctx);
  const proxyOptions = { ...rest, policyPath };
  await using stack = new AsyncDisposableStack();
  let image = reference.image;
  if (reference.signature.kind === "containerPolicy" && !isAtLeast(await skopeoVersion(ctx), PROXY_CHECKS_POLICY)) {
    const dir = temporaryDirectory ?? (ctx.env["TMPDIR"] || "/var/tmp");
    const directory = await Deno.makeTempDir({ dir, prefix: "bootc-signed-" });
    stack.defer(() => Deno.remove(directory, { recursive: true }));
    await copyImage(ctx, { image, directory }, proxyOptions);
    image = { transport: "dir", name: directory };
  }
  const proxy = stack.use(await (launched?.take() ?? ImageProxy.start(ctx, proxyOptions)));
  const imageId = await proxy.openImage(image);
  const owned = stack.move();
  const byDiffId = image.transport === "containers-storage";
  return { proxy, imageId, byDiffId, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function policyOf(reference: OstreeImageReference, root: string, ctx: Context): Promise<string | undefined> {
  return reference.signature.kind === "containerPolicy"
    ? await requireSignaturePolicy(root, ctx.env)
    : await resolvePolicyPath(root, ctx.env);
}

async function copyImage(
  ctx: Context,
  copy: { image: ImageReference; directory: string },
  options: ProxyOptions,
): Promise<void> {
  const { userAgentPrefix: _tooOldForIt, ...known } = options;
  try {
    await run(ctx, copyArgv(ctx.tools.skopeo, copy, { ...temporaryOf(ctx), ...known }));
  } catch (cause) {
    if (!(cause instanceof ToolError)) throw cause;
    const words = skopeoWords(cause.message);
    throw new UserError(`Cannot open image "${formatImageReference(copy.image)}": ${words}`, {
      cause,
      hint: hintFor(words),
    });
  }
}
