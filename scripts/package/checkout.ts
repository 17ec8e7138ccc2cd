/** A checkout of its own that holds the work tree as it is, committed: what packages are made of, also in the middle of a change. */
import type { Context } from "../../lib/sys/context.ts";
import { capture, run } from "../../lib/sys/run.ts";
import { projectDirectory } from "../script.ts";

/** A git that asks nobody who that is, and makes the same commit of the same files. */
export const CHECKOUT_ENV: Readonly<Record<string, string>> = {
  GIT_AUTHOR_NAME: "test",
  GIT_AUTHOR_EMAIL: "test@localhost",
  GIT_COMMITTER_NAME: "test",
  GIT_COMMITTER_EMAIL: "test@localhost",
  GIT_AUTHOR_DATE: "2026-11-30T22:57:07Z",
  GIT_COMMITTER_DATE: "2026-11-30T22:57:07Z",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

const COPY =
  `git -C "$0" ls-files -z --cached --others --exclude-standard | tar -C "$0" -c --null --ignore-failed-read -T - | tar -C "$1" -x`;

/** Makes the checkout in a directory that does not exist yet, and gives its path. */
export async function checkout(ctx: Context, directory: string): Promise<string> {
  const env = CHECKOUT_ENV;
  await Deno.mkdir(directory);
  await run(ctx, ["sh", "-c", COPY, projectDirectory, directory]);
  // The npm packages that the scripts import, as scripts/setup.sh would install them.
  await Deno.mkdir(`${directory}/node_modules`);
  await run(ctx, ["cp", "-a", `${projectDirectory}/node_modules/deno-std`, `${directory}/node_modules/`]);
  for (const words of [["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=work tree"]]) {
    await run(ctx, ["git", "-C", directory, ...words], { env });
  }
  return directory;
}

/** Makes the Debian package of the work tree, without running its tests; its path below `directory`. */
export async function workTreeDeb(ctx: Context, directory: string): Promise<string> {
  const cwd = await checkout(ctx, `${directory}/project`);
  const env = { ...CHECKOUT_ENV, DEB_BUILD_OPTIONS: "nocheck", BOOTC_DEB_COMPRESSION: "-Zgzip -z1", NO_COLOR: "1" };
  const made = await capture(ctx, [Deno.execPath(), "run", "-A", "scripts/package-rpm.ts", "deb"], { cwd, env });
  return `${cwd}/${made.trim()}`;
}
