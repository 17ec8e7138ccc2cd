/** What an installation leaves on the host beside the image: where it came from, how /boot is mounted, who may log in. */
import type { StoredImage } from "../container/images.ts";
import { describeImage } from "../host/image_state.ts";
import type { Deployment } from "../ostree/deployment.ts";
import type { Context } from "../sys/context.ts";
import { writeAll } from "../sys/libc.ts";
import { replaceFile } from "../sys/replace_file.ts";
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

/** Writes them, each whole or not at all. @throws {UserError} when the keys are none @throws {LibcError} */
export async function writeHostFiles(ctx: Context, { target, deployment, image, request }: HostFacts): Promise<void> {
  const etc = `${deployment.path}/etc`;
  await write(`${target.root}/.bootc-aleph.json`, alephJson(await alephFacts(ctx, image, request)));
  if (target.bootMountSpec) {
    const before = await Deno.readTextFile(`${etc}/fstab`).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    });
    await write(`${etc}/fstab`, before + bootFstabLine(target.bootMountSpec));
  }
  if (request.sshKeys !== undefined) {
    await Deno.mkdir(`${etc}/tmpfiles.d`, { recursive: true });
    await write(`${deployment.path}/${SSH_KEYS_TMPFILES}`, sshKeysTmpfiles(request.sshKeys, await home(deployment)));
  }
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

async function write(path: string, text: string): Promise<void> {
  await replaceFile(path, (fd) => writeAll(fd, new TextEncoder().encode(text)), { mode: 0o644 });
}
