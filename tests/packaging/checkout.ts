/** A checkout of its own that holds the work tree as it is, committed: what packages are made of, also in the middle of a change. */
import { plainContext } from "../../lib/sys/context.ts";
import { run } from "../../lib/sys/run.ts";

const ROOT = import.meta.dirname!.replace(/\/tests\/packaging$/, "");

/** Whoever runs the tests, with a git that asks nobody who that is. */
export const ctx = plainContext({
  ...Deno.env.toObject(),
  GIT_AUTHOR_NAME: "test",
  GIT_AUTHOR_EMAIL: "test@localhost",
  GIT_COMMITTER_NAME: "test",
  GIT_COMMITTER_EMAIL: "test@localhost",
  GIT_AUTHOR_DATE: "2026-11-30T22:57:07Z",
  GIT_COMMITTER_DATE: "2026-11-30T22:57:07Z",
  GIT_CONFIG_GLOBAL: "/dev/null",
  NO_COLOR: "1",
});

/** Makes the checkout in a directory that does not exist yet. */
export async function checkout(directory: string): Promise<string> {
  await Deno.mkdir(directory);
  const copy =
    `git -C "$0" ls-files -z --cached --others --exclude-standard | tar -C "$0" -c --null --ignore-failed-read -T - | tar -C "$1" -x`;
  await run(ctx, ["sh", "-c", copy, ROOT, directory]);
  // The npm packages that the scripts import, as scripts/setup.sh would install them.
  await Deno.mkdir(`${directory}/node_modules`);
  await run(ctx, ["cp", "-a", `${ROOT}/node_modules/deno-std`, `${directory}/node_modules/`]);
  for (const words of [["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=work tree"]]) {
    await run(ctx, ["git", "-C", directory, ...words]);
  }
  return directory;
}

/** What a command gave. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command whatever comes of it. */
export async function attempt(
  [program, ...args]: readonly [string, ...string[]],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Result> {
  const output = await new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...ctx.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code: output.code, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
}

/** Runs a command that has to succeed and gives what it wrote to stdout. @throws {Error} with what it said */
export async function must(
  argv: readonly [string, ...string[]],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, stdout, stderr } = await attempt(argv, options);
  if (code !== 0) {
    throw new Error(`${argv.join(" ")} ended with ${code}:\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`);
  }
  return stdout;
}

/** The hex SHA-256 of a file of any size. */
export async function sha256Of(path: string): Promise<string> {
  return (await must(["sha256sum", "--", path])).slice(0, 64);
}
