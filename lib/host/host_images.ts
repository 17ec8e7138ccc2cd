/** The images of a host's own repository. */
import { listImages } from "../container/images.ts";
import { Repo } from "../ostree/repo.ts";
import type { Context } from "../sys/context.ts";
import { requireSysrootName } from "./guard.ts";
import type { HostChoice } from "./session.ts";
import { imageText } from "./spec_image.ts";

/** Their names as people read them. @throws {UserError} when there is no repository */
export function hostImages(_ctx: Context, { sysroot }: HostChoice): string[] {
  requireSysrootName(sysroot);
  using repo = Repo.open(`${sysroot ?? ""}/ostree/repo`);
  return listImages(repo).map(({ image }) => imageText({ image: image.name, transport: image.transport }));
}
