/** A host that is about to be read or changed: the booted one, or any system root by its path. */
import { cachedUpdate, imageOfCommit } from "../container/images.ts";
import type { Deployment } from "../ostree/deployment.ts";
import { GlibError } from "../ostree/glib.ts";
import type { Repo } from "../ostree/repo.ts";
import { Sysroot } from "../ostree/sysroot.ts";
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";
import { inOwnMountNamespace, type SelfContext } from "../sys/mount_namespace.ts";
import { isDamage } from "./damage.ts";
import { type CallerContext, notBooted, requireHost, requireSysrootName } from "./guard.ts";
import { describeImage, type ImageDescription, type ImageFacts } from "./image_state.ts";
import { buildHost } from "./read.ts";
import { readOnlyMedium, usrOverlayOf } from "./read_mounts.ts";
import { softRebootCheck } from "./soft_reboot.ts";
import { emptyHost, type Host } from "./spec.ts";
import { imageText } from "./spec_image.ts";
import { unusedStagedLines } from "./unused_staged.ts";

/** Which host. */
export interface HostChoice {
  /** `--sysroot`; without it the booted host. */
  readonly sysroot: string | undefined;
}

/** What a command that changes a host asks for. */
export interface SessionRequest extends HostChoice {
  /** The verb as errors name it ("Switching"); upgrade has none. */
  readonly doing?: string;
}

/** A host as `status` shows it. */
export interface HostReading {
  readonly host: Host;
  /** It is a system root that does not run: the text names its first deployment the default one. */
  readonly unbooted: boolean;
}

/**
 * Reads a host, with a note where something that was staged did not boot; without a host (a machine that was not booted from ostree) the
 * document is empty. Nothing is locked or written.
 * @throws {UserError} when `--sysroot` names no system root
 */
export async function readHost(ctx: Context, { sysroot: path }: HostChoice): Promise<HostReading> {
  requireSysrootName(path);
  if (path === undefined && !await exists("/run/ostree-booted")) return { host: emptyHost(), unbooted: false };
  using sysroot = Sysroot.open(path ?? "/");
  using repo = sysroot.repo();
  const host = await readDocument(ctx, sysroot, repo);
  const tracked = host.spec.image === null ? undefined : imageText(host.spec.image);
  for (const line of await unusedStagedLines(ctx, sysroot, tracked)) ctx.note(line);
  return { host, unbooted: path !== undefined && sysroot.booted === undefined };
}

async function readDocument(ctx: Context, sysroot: Sysroot, repo: Repo): Promise<Host> {
  const mountinfo = await Deno.readTextFile("/proc/self/mountinfo");
  const softRebootsInto = await softRebootCheck(sysroot.booted);
  const path = await Deno.realPath(sysroot.path === "/" ? "/sysroot" : sysroot.path).catch(() => sysroot.path);
  return buildHost(sysroot, {
    imageFacts: (checksum) => imageFacts(repo, checksum),
    softReboot: ({ path }) => softRebootsInto(path),
    usrOverlay: usrOverlayOf(mountinfo),
    readOnly: readOnlyMedium(mountinfo, path),
    problem: (message, cause) => ctx.note(`warning: ${message}: ${cause instanceof Error ? cause.message : cause}`),
  });
}

/** What a deployment's commit says of its image. @throws {SyntaxError} when its metadata is damaged */
function imageFacts(repo: Repo, checksum: string): ImageFacts | undefined {
  const image = imageOfCommit(checksum, repo.loadCommit(checksum));
  if (!image) return undefined;
  const facts = describe(image);
  const update = readableUpdate(repo, checksum);
  return update ? { ...facts, cachedUpdate: describe(update) } : facts;
}

/** An update that cannot be read counts as none: it must not cost the image beside it. */
function readableUpdate(repo: Repo, checksum: string): ReturnType<typeof cachedUpdate> {
  try {
    return cachedUpdate(repo, checksum);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  }
}

function describe(
  { digest, config }: { digest: string; config: Parameters<typeof describeImage>[1] | undefined },
): ImageDescription {
  if (config) return describeImage(digest, config);
  return { version: null, timestamp: null, imageDigest: digest, architecture: "" };
}

/** @throws {UserError} where nothing can be written, and where another process does not let go of the lock */
async function lockForChange(ctx: Context, sysroot: Sysroot): Promise<Disposable> {
  try {
    return await sysroot.lock(ctx);
  } catch (cause) {
    if (!(cause instanceof GlibError)) throw cause;
    throw new UserError(`Cannot lock the system root "${sysroot.path}"`, {
      cause,
      hint: "It must be writable to be changed; check how it is mounted, and that you are root",
    });
  }
}

/** An open host whose lock is ours until the end of the block. */
export class HostSession implements Disposable {
  private constructor(
    readonly ctx: Context,
    readonly sysroot: Sysroot,
    readonly repo: Repo,
    /** It is the running one: changes are staged for the next boot, and the rest of the system hears of them. */
    readonly live: boolean,
    /** The booted deployment, or the one that boots next of a system root that does not run. */
    readonly current: Deployment,
    readonly host: Host,
    readonly lock: Disposable,
  ) {}

  /**
   * Opens a host to change it: refuses whoever may not, waits for the lock, reads.
   * @throws {UserError} in the order of trap T27, or when the system root has no deployment
   */
  static async open(ctx: CallerContext, request: SessionRequest): Promise<HostSession> {
    await requireHost(ctx, {
      sysroot: request.sysroot,
      ...(request.doing === undefined ? {} : { doing: request.doing }),
    });
    using stack = new DisposableStack();
    const sysroot = stack.use(
      Sysroot.open(request.sysroot ?? "/", { mountNamespaceInUse: request.sysroot === undefined }),
    );
    const lock = stack.use(await lockForChange(ctx, sysroot));
    const repo = stack.use(sysroot.repo());
    const live = sysroot.booted !== undefined;
    if (!live && request.sysroot === undefined) throw notBooted(request.doing);
    const current = sysroot.booted ?? sysroot.deployments().find(({ staged }) => !staged);
    if (!current) {
      throw new UserError(`System root "${request.sysroot}" has no deployment`, {
        hint: "Deploy an image first: bootc internals ostree-container image deploy",
      });
    }
    const host = await readDocument(ctx, sysroot, repo);
    stack.move();
    return new HostSession(ctx, sysroot, repo, live, current, host, lock);
  }

  /** Where the host's own configuration lies. */
  get root(): string {
    return this.live ? "/" : this.sysroot.path;
  }

  [Symbol.dispose](): void {
    this.repo[Symbol.dispose]();
    this.lock[Symbol.dispose]();
    this.sysroot[Symbol.dispose]();
  }
}

/**
 * {@linkcode inOwnMountNamespace} for a change of the running host, so that libostree may make /sysroot writable where no one else sees it;
 * undefined also where another system root is changed.
 * @throws {Interrupted} when a signal ended that run
 */
export async function inOwnNamespace(
  ctx: CallerContext & SelfContext,
  request: SessionRequest,
): Promise<number | undefined> {
  if (request.sysroot !== undefined) return undefined;
  await requireHost(ctx, request.doing === undefined ? {} : { doing: request.doing });
  return await inOwnMountNamespace(ctx);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
