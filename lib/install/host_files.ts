/** What an installation leaves on the host beside the image: where it came from, how /boot is mounted, who may log in. */
import type { StoredImage } from "../container/images.ts";
import { describeImage } from "../host/image_state.ts";
import type { Deployment } from "../ostree/deployment.ts";
import type { Context } from "../sys/context.ts";
import { Descriptor } from "../sys/descriptor.ts";
import {
  AT_FDCWD,
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
export async function writeHostFiles(ctx: Context, { target, deployment, image, request }: HostFacts): Promise<void> {
  const aleph = alephJson(await alephFacts(ctx, image, request));
  await replaceFile(`${target.root}/.bootc-aleph.json`, (fd) => writeAll(fd, encoded(aleph)), { mode: 0o644 });
  using root = new Descriptor(openat(AT_FDCWD, cstr(deployment.path), O_RDONLY | O_DIRECTORY));
  using etc = new Descriptor(openDirectoryAt(root.fd, "etc"));
  if (target.bootMountSpec) {
    const before = existsAt(etc.fd, FSTAB)
      ? readWhole(openat(etc.fd, FSTAB, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
      : NOTHING;
    const line = encoded(bootFstabLine(target.bootMountSpec));
    await replaceFileAt(etc.fd, "fstab", (fd) => {
      writeAll(fd, before);
      writeAll(fd, line);
    }, { mode: 0o644 });
  }
  if (request.sshKeys !== undefined) {
    const line = sshKeysTmpfiles(request.sshKeys, await home(deployment));
    mkdirat(etc.fd, cstr("tmpfiles.d"), 0o755);
    using directory = new Descriptor(openDirectoryAt(etc.fd, "tmpfiles.d"));
    await replaceFileAt(directory.fd, SSH_KEYS_NAME, (fd) => writeAll(fd, encoded(line)), { mode: 0o644 });
  }
}

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

async function alephFacts(ctx: Context, image: StoredImage, { source, target }: InstallRequest): Promise<AlephFacts> {
  const described = image.config && describeImage(image.digest, image.config);
  return {
    source: source.image.name,
    target: target.image.name,
    digest: image.digest,
    labels: image.config?.labels ?? {},
    version: described?.version ?? null,
    timestamp: described?.timestamp ?? null,
    kernel: (await capture(ctx, ["uname", "-r"])).trim(),
    selinux: "disabled",
  };
}
