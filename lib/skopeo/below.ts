/** Files below another root: what a path means inside a system that is not running. */

const LINK_LIMIT = 40;

/**
 * The path under which a file of the system in `root` is found from here; every link, absolute ones too, is followed as the system itself
 * would. Undefined where there is no such file, also behind a dangling link or a loop.
 */
export async function fileBelow(root: string, path: string): Promise<string | undefined> {
  const base = root.replace(/\/+$/, "");
  const todo = path.split("/").reverse();
  const done: string[] = [];
  let links = 0;
  while (todo.length > 0) {
    const part = todo.pop()!;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const at = [base, ...done, part].join("/");
    const info = await lstat(at);
    if (info === undefined) return undefined;
    if (!info.isSymlink) {
      done.push(part);
      continue;
    }
    if (++links > LINK_LIMIT) return undefined;
    const target = await Deno.readLink(at);
    if (target.startsWith("/")) done.length = 0;
    todo.push(...target.split("/").reverse());
  }
  const found = [base, ...done].join("/");
  return (await lstat(found))?.isFile ? found : undefined;
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
