/** The install configuration that an image brings, read from its commit. */
import type { CommitTree } from "../ostree/commit_tree.ts";
import { type InstallConfig, readInstallConfig } from "./config.ts";

const CONFIG_MAX_BYTES = 1 << 20;

/** @throws {UserError} naming the file that cannot be read */
export async function configOfImage(tree: CommitTree): Promise<InstallConfig> {
  return await readInstallConfig(async (directory) => {
    // /etc of the running system is /usr/etc of the commit.
    const path = directory.replace(/^\/?etc\//, "usr/etc/").replace(/^\//, "");
    const files: [string, string][] = [];
    for (const { name, kind } of tree.list(path) ?? []) {
      const bytes = kind === "file" ? await tree.readFile(`${path}/${name}`, CONFIG_MAX_BYTES) : undefined;
      if (bytes) files.push([name, new TextDecoder().decode(bytes)]);
    }
    return files;
  });
}
