/** Packages made of the work tree, and running what they are made by. */
import { plainContext } from "../../lib/sys/context.ts";
import { checkout as checkoutInto, CHECKOUT_ENV } from "../../scripts/package/checkout.ts";

/** Whoever runs the tests, with a git that asks nobody who that is. */
export const ctx = plainContext({ ...Deno.env.toObject(), ...CHECKOUT_ENV, NO_COLOR: "1" });

/** Makes a checkout of the work tree in a directory that does not exist yet. */
export async function checkout(directory: string): Promise<string> {
  return await checkoutInto(ctx, directory);
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
