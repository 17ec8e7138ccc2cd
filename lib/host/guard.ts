/** Who may change the booted host: the refusals that come before anything is looked at. */
import type { Context } from "../sys/context.ts";
import { UserError } from "../sys/errors.ts";

/** What is asked of the caller and the machine. */
export interface GuardOptions {
  /** The verb as errors name it ("Switching", "Rollback"); upgrade has none. */
  readonly doing?: string;
  /** The value of `--sysroot`: with it the booted host is not concerned, and nothing is refused. */
  readonly sysroot?: string | undefined;
  /** The command has no `--sysroot`, so that no refusal advises it. */
  readonly runningOnly?: boolean;
  /** Where /run is looked for; a test gives a folder of its own. */
  readonly root?: string;
}

/** A context that knows who calls. */
export interface CallerContext extends Context {
  /** Effective user id. */
  readonly euid: number;
}

/**
 * Passes on a host that was booted from an ostree deployment, for root, and not in a container. Whether that deployment is one of this
 * program's is for the caller to see in the sysroot, and to refuse with {@linkcode notBooted}.
 * @throws {UserError} for whoever is not root, then in a container, then on a host that was booted otherwise; for an empty `--sysroot`
 */
export async function requireHost(ctx: CallerContext, options: GuardOptions = {}): Promise<void> {
  const { sysroot, doing, runningOnly = false, root = "" } = options;
  requireSysrootName(sysroot);
  if (sysroot !== undefined) return;
  requireRoot(ctx);
  if (await inContainer(ctx, root)) {
    throw new UserError("Detected container; this command requires a booted host system", {
      hint: runningOnly ? "Run it on the host" : "Run it on the host, or give the system to work on with --sysroot",
    });
  }
  if (!await exists(`${root}/run/ostree-booted`)) throw notBooted(doing, { runningOnly });
}

/**
 * Refuses the empty path that a script's unset variable gives: joined with `/ostree/repo` it would be the running host.
 * @throws {UserError}
 */
export function requireSysrootName(sysroot: string | undefined): void {
  if (sysroot === "") {
    throw new UserError("The path of the system root is empty", { hint: "Give a directory to --sysroot" });
  }
}

/** @throws {UserError} for whoever is not root */
export function requireRoot(ctx: CallerContext): void {
  if (ctx.euid === 0) return;
  throw new UserError("This command must be executed as the root user", { hint: "Run it again with sudo" });
}

/** What a command says that needs a deployment which is booted, where there is none; `doing` as in {@linkcode GuardOptions}. */
export function notBooted(doing?: string, { runningOnly }: Pick<GuardOptions, "runningOnly"> = {}): UserError {
  const hint = runningOnly
    ? "Run it on a host that was booted from an ostree deployment"
    : "Give the system to work on with --sysroot, or see `bootc status`";
  const cause = new UserError("Initializing storage", {
    cause: new UserError("System not booted via bootc", { hint }),
  });
  return doing === undefined ? cause : new UserError(doing, { cause });
}

/**
 * Whether this runs in a container, as `container=` in the environment (systemd's convention: any value) or /run/.containerenv (podman's)
 * tell.
 */
export async function inContainer(ctx: Context, root = ""): Promise<boolean> {
  return (ctx.env["container"] ?? "") !== "" || await exists(`${root}/run/.containerenv`);
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
