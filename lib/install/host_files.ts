/** What an installation leaves on the host beside the image: where it came from, how /boot is mounted, who may log in. */
import type { StoredImage } from "../container/images.ts";
import { describeImage } from "../host/image_state.ts";
import type { Deployment } from "../ostree/deployment.ts";
import type { Context } from "../sys/context.ts";
import { Descriptor } from "../sys/descriptor.ts";
import {
  AT_FDCWD,
  type Bytes,
  cstr,
  existsAt,
  mkdirat,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openat,
  openDirectoryAt,
  readWhole,
  writeAll,
} from "../sys/libc.ts";
import { replaceFile, replaceFileAt } from "../sys/replace_file.ts";
import { capture } from "../sys/run.ts";
import { type AlephFacts, alephJson } from "./aleph.ts";
import { bootFstabLine } from "./fstab.ts";
import type { InstallRequest, InstallTarget } from "./install.ts";
import type { Labels } from "./labels.ts";
import { rootHome, SSH_KEYS_TMPFILES, sshKeysTmpfiles } from "./ssh_keys.ts";

/** What is known once the image is deployed. */
export interface HostFacts {
  readonly target: InstallTarget;
  readonly deployment: Deployment;
  readonly image: StoredImage;
  readonly request: InstallRequest;
}

/**
 * Writes them, each whole or not at all. The deployment's names are the image's, so that no link in it is followed.
 * @throws {UserError} when root's home is no plain path @throws {LibcError}
 */
export async function writeHostFiles(ctx: Context, facts: HostFacts, labels: Labels): Promise<void> {
  const { target, deployment, request } = facts;
  labelRoot(target.root, labels);
  const aleph = encoded(alephJson({ ...await alephFacts(ctx, facts), selinux: labels.selinux }));
  await replaceFile(`${target.root}${ALEPH}`, (fd) => writeLabelled(fd, ALEPH, [aleph], labels), { mode: 0o644 });
  using root = new Descriptor(openat(AT_FDCWD, cstr(deployment.path), O_RDONLY | O_DIRECTORY));
  using etc = new Descriptor(openDirectoryAt(root.fd, "etc"));
  if (target.bootMountSpec) await addFstabLine(etc.fd, bootFstabLine(target.bootMountSpec), labels);
  if (request.sshKeys !== undefined) {
    const line = sshKeysTmpfiles(request.sshKeys, await home(deployment));
    const isNew = mkdirat(etc.fd, cstr("tmpfiles.d"), 0o755);
    using directory = new Descriptor(openDirectoryAt(etc.fd, "tmpfiles.d"));
    if (isNew) labels.set(directory.fd, "/etc/tmpfiles.d");
    const write = (fd: number) => writeLabelled(fd, `/${SSH_KEYS_TMPFILES}`, [encoded(line)], labels);
    await replaceFileAt(directory.fd, SSH_KEYS_NAME, write, { mode: 0o644 });
  }
}

/**
 * Adds a line to the fstab of an open /etc, whole or not at all; without one makes it.
 * @throws {LibcError}
 */
export async function addFstabLine(etc: number, line: string, labels: Labels): Promise<void> {
  const before = existsAt(etc, FSTAB) ? readWhole(openat(etc, FSTAB, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)) : NOTHING;
  const write = (fd: number) => writeLabelled(fd, "/etc/fstab", [before, encoded(line)], labels);
  await replaceFileAt(etc, "fstab", write, { mode: 0o644 });
}

function writeLabelled(fd: number, path: string, parts: readonly Bytes[], labels: Labels): void {
  labels.set(fd, path);
  for (const part of parts) writeAll(fd, part);
}

/** The directories of the physical root that the installer makes. /ostree holds what is /usr elsewhere. */
function labelRoot(root: string, labels: Labels): void {
  for (const [path, as] of [["", "/"], ["/ostree", "/usr"]] as const) {
    using directory = new Descriptor(openat(AT_FDCWD, cstr(`${root}${path}`), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    labels.set(directory.fd, as);
  }
}

const ALEPH = "/.bootc-aleph.json";
const FSTAB = cstr("fstab");
const NOTHING = new Uint8Array(0);
const SSH_KEYS_NAME = SSH_KEYS_TMPFILES.slice(SSH_KEYS_TMPFILES.lastIndexOf("/") + 1);

function encoded(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Where /root leads in the image. @throws {UserError} where that is no plain path */
async function home({ path }: Deployment): Promise<{ home?: string }> {
  const link = await Deno.readLink(`${path}/root`).catch(() => undefined);
  return link === undefined ? {} : { home: rootHome(link) };
}

async function alephFacts(
  ctx: Context,
  { image, request: { source, target } }: HostFacts,
): Promise<Omit<AlephFacts, "selinux">> {
  const described = image.config && describeImage(image.digest, image.config);
  return {
    source: source.image.name,
    target: target.image.name,
    digest: image.digest,
    labels: image.config?.labels ?? {},
    version: described?.version ?? null,
    timestamp: described?.timestamp ?? null,
    kernel: (await capture(ctx, ["uname", "-r"])).trim(),
  };
}
