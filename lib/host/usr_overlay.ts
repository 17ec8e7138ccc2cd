/** A layer over the booted /usr that is gone with the next boot (row F4). */
import type { UnlockedState } from "../ostree/deployment.ts";
import { Sysroot } from "../ostree/sysroot.ts";
import type { Context } from "../sys/context.ts";
import { ToolError, UserError } from "../sys/errors.ts";
import { inHostMountNamespace } from "../sys/mount_namespace.ts";
import { capture } from "../sys/run.ts";
import { notBooted } from "./guard.ts";

/** What the layer is for. */
export interface OverlayRequest {
  /** It is mounted read-only; a mount namespace of its own can make it writable there. */
  readonly readOnly: boolean;
}

/** Without `--options-mode`, util-linux hands all of the overlay's options over, which the kernel takes for a change of them and refuses. */
const WRITABLE_FOR_ONESELF = "unshare --mount sh -c 'mount --options-mode=ignore -o remount,rw /usr && exec sh'";

/** What lies over /usr already, and until when. */
const PRESENT: Readonly<Record<Exclude<UnlockedState, "none">, { what: string; until: string }>> = {
  development: { what: "transient, read/write", until: "The next reboot removes it" },
  transient: {
    what: "transient, read-only",
    until: `To write below /usr: ${WRITABLE_FOR_ONESELF}; the next reboot removes it`,
  },
  hotfix: { what: "persistent, read/write", until: "It stays until the next update" },
};

/** Which words of `ostree admin` make the layer. */
export function unlockArgv(
  { tools }: Pick<Context, "tools">,
  { readOnly }: OverlayRequest,
): readonly [string, ...string[]] {
  return [tools.ostree, "admin", "unlock", ...(readOnly ? ["--transient"] : [])];
}

/**
 * Lays the layer over the booted /usr, for everybody on the host, and gives what ostree says of it. The deployment itself stays as it is: a
 * power cut, like each reboot, leaves an unused directory that the next call removes.
 * @throws {UserError} where a layer is there already, or ostree cannot make one
 */
export async function overlayUsr(ctx: Context, request: OverlayRequest): Promise<string> {
  const unlocked = bootedState();
  if (unlocked !== "none") {
    const { what, until } = PRESENT[unlocked];
    throw new UserError(`There is an overlay over /usr already: ${what}`, { hint: until });
  }
  try {
    return await capture(ctx, await inHostMountNamespace(unlockArgv(ctx, request)));
  } catch (cause) {
    if (!(cause instanceof ToolError)) throw cause;
    throw new UserError("Cannot lay an overlay over /usr", {
      cause,
      hint: "/usr is as it was; see `mount -t overlay`",
    });
  }
}

/** @throws {UserError} where no deployment is booted */
function bootedState(): UnlockedState {
  using sysroot = Sysroot.open("/");
  const { booted } = sysroot;
  if (!booted) throw notBooted("Unlocking /usr", { runningOnly: true });
  return booted.unlocked;
}
