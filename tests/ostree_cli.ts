/** The real `ostree`, as the other side that our work must agree with. */
import "./libraries.ts";
import { plainContext } from "../lib/sys/context.ts";
import { capture } from "../lib/sys/run.ts";

// Without the variable a deployment is immutable, and the temporary directory stays for ever.
const ctx = plainContext({ ...Deno.env.toObject(), OSTREE_SYSROOT_DEBUG: "mutable-deployments" });

/** Runs ostree and gives its stdout. @throws {ToolError} with what it said when it fails */
export async function ostreeText(...args: string[]): Promise<string> {
  return await capture(ctx, ["ostree", ...args]);
}

/** Makes an empty repository. */
export async function ostreeInit(path: string, mode: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
  await ostreeText("init", `--repo=${path}`, `--mode=${mode}`);
}

/** What `ostree commit` is told. */
export interface CommitRequest {
  readonly ref: string;
  /** A directory; everything in it becomes 0:0. */
  readonly tree: string;
  readonly subject?: string;
  readonly body?: string;
  readonly parent?: string;
  readonly timestamp?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Commits a directory and gives the checksum. */
export async function ostreeCommit(repo: string, request: CommitRequest): Promise<string> {
  const options = [
    request.subject === undefined ? [] : [`--subject=${request.subject}`],
    request.body === undefined ? [] : [`--body=${request.body}`],
    request.parent === undefined ? [] : [`--parent=${request.parent}`],
    request.timestamp === undefined ? [] : [`--timestamp=${request.timestamp}`],
    Object.entries(request.metadata ?? {}).map(([key, value]) => `--add-metadata-string=${key}=${value}`),
  ].flat();
  const checksum = await ostreeText(
    "commit",
    `--repo=${repo}`,
    `--branch=${request.ref}`,
    "--owner-uid=0",
    "--owner-gid=0",
    "--no-xattrs",
    ...options,
    request.tree,
  );
  return checksum.trim();
}
