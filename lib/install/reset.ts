/** A host as new beside itself: its image in another stateroot, with an /etc and a /var of its own. Source: `install reset` of the reference. */
import type { StoredImage } from "../container/images.ts";
import { settle } from "../host/queue.ts";
import type { HostSession } from "../host/session.ts";
import { dropSoftReboot } from "../host/soft_reboot.ts";
import { imageText } from "../host/spec_image.ts";
import { formatOstreeImageReference, type OstreeImageReference } from "../oci/reference.ts";
import { GlibError } from "../ostree/glib.ts";
import { staterootArgument } from "../ostree/names.ts";
import { Origin } from "../ostree/origin.ts";
import { Descriptor } from "../sys/descriptor.ts";
import { UserError } from "../sys/errors.ts";
import { AT_FDCWD, cstr, O_DIRECTORY, O_RDONLY, openat, openDirectoryAt } from "../sys/libc.ts";
import { completedKargs } from "./completion.ts";
import { addFstabLine } from "./host_files.ts";
import { addKargs } from "./kargs.ts";
import { Labels, selinuxState } from "./labels.ts";

/**
 * The next name of the form `state-YEAR-SERIAL` beside other stateroots; pure. Source: trap T5; as in the reference the year of the newest is
 * kept.
 */
export function nextStateroot(names: readonly string[], year: number): string {
  const found = names.flatMap((name) => {
    const [, y, serial] = /^state-(\d+)-(\d+)$/.exec(name) ?? [];
    return y === undefined ? [] : [[Number(y), Number(serial)] as const];
  });
  const [newest] = found.sort(([y1, s1], [y2, s2]) => y2 - y1 || s2 - s1);
  return newest ? `state-${newest[0]}-${newest[1] + 1}` : `state-${year}-0`;
}

/** Of the arguments of a running host, those that lead to its file systems; pure. */
export function rootKargs(kernelArguments: readonly string[]): string[] {
  return kernelArguments.filter((each) => /^(?:root=|rootflags=|boot=|rd\.|rw$|ro$)/.test(each));
}

/** The line of an fstab for /boot, with its line break; undefined without one; pure. */
export function bootLine(fstab: string): string | undefined {
  const line = fstab.split("\n").find((each) => !/^\s*#/.test(each) && each.trim().split(/\s+/)[1] === "/boot");
  return line === undefined ? undefined : `${line}\n`;
}

/** What is set up. */
export interface ResetRequest {
  readonly image: StoredImage;
  /** What the host follows. */
  readonly reference: OstreeImageReference;
  /** Undefined: {@linkcode nextStateroot}. */
  readonly stateroot: string | undefined;
  /** Take over {@linkcode rootKargs}. */
  readonly inheritRoot: boolean;
  readonly kernelArguments: readonly string[];
}

/**
 * Stages an image in a new stateroot; gives its name. The host, its /etc and /var stay, for `bootc rollback` to go back to. Commit point: the
 * staged state; a failure before it removes the stateroot, a power cut leaves it empty.
 * @throws {UserError} when there is such a stateroot already, or the image cannot be read
 * @throws {GlibError}
 */
export async function resetHost(session: HostSession, request: ResetRequest): Promise<string> {
  const { sysroot, repo, current, ctx } = session;
  const { image, reference } = request;
  const names = await Array.fromAsync(Deno.readDir(`${staterootsOf(session)}`), ({ name }) => name);
  const stateroot = request.stateroot ?? nextStateroot(names, ctx.now().getUTCFullYear());
  if (stateroot === current.stateroot) {
    throw new UserError(`Cannot redeploy over booted stateroot ${stateroot}`, {
      hint: "Give another name to --stateroot, or none",
    });
  }
  staterootArgument(stateroot);
  if (names.includes(stateroot)) {
    throw new UserError(`There is a stateroot "${stateroot}" already`, {
      hint: "Give another name to --stateroot, or none",
    });
  }
  const inherited = request.inheritRoot ? rootKargs(current.kernelArguments) : [];
  const facts = { repo, commit: image.commit, before: undefined, current: inherited };
  const kernelArguments = addKargs(await completedKargs(facts), request.kernelArguments);
  await dropSoftReboot(ctx);
  sysroot.initStateroot(stateroot);
  try {
    await sysroot.stageTree({
      stateroot,
      checksum: image.commit,
      origin: Origin.forImage(formatOstreeImageReference(reference)),
      kernelArguments,
      signal: ctx.signal,
    });
  } catch (error) {
    if (error instanceof GlibError) await Deno.remove(`${staterootsOf(session)}/${stateroot}`, { recursive: true });
    throw error;
  }
  sysroot.reload();
  await takeOverBoot(session, image.commit);
  await settle(session, {
    digest: image.digest,
    image: imageText({ image: reference.image.name, transport: reference.image.transport }),
    locked: false,
    message: `Queued ${formatOstreeImageReference(reference)} in stateroot ${stateroot} for the next boot`,
  });
  return stateroot;
}

function staterootsOf({ sysroot: { path } }: HostSession): string {
  return `${path === "/" ? "" : path}/ostree/deploy`;
}

/** /boot as a file system of its own is mounted by a line of /etc/fstab, which the new /etc lacks. */
async function takeOverBoot({ sysroot, repo, ctx }: HostSession, commit: string): Promise<void> {
  const fstab = await Deno.readTextFile("/etc/fstab").catch(() => "");
  const line = bootLine(fstab);
  const staged = sysroot.staged;
  if (line === undefined || !staged) return;
  using labels = Labels.open(ctx, { root: sysroot.path, commit, selinux: await selinuxState(repo, commit, {}) });
  using root = new Descriptor(openat(AT_FDCWD, cstr(staged.path), O_RDONLY | O_DIRECTORY));
  using etc = new Descriptor(openDirectoryAt(root.fd, "etc"));
  await addFstabLine(etc.fd, line, labels);
}
