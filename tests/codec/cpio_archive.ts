/** Archives by the real cpio. */

/** Files by path, in the order of their names; `directory` is for scratch. */
export async function cpioOf(
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const root = await Deno.makeTempDir({ dir: directory });
  for (const [name, content] of Object.entries(files)) {
    const path = `${root}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, content);
  }
  return await piped("find . | sed 's#^\\./##' | LC_ALL=C sort | cpio --quiet -o -H newc", root);
}

/** What a shell's pipeline gives. */
export async function piped(script: string, cwd: string, stdin?: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("sh", {
    args: ["-euc", script],
    cwd,
    stdin: stdin ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const feed = async () => {
    if (!stdin) return;
    const writer = child.stdin.getWriter();
    await writer.write(stdin);
    await writer.close();
  };
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), feed()]);
  if (!success) throw new Error(`${script}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

/** A plain archive of empty files, for where a text is wanted; all of it is ASCII. */
export function emptyFilesCpio(names: readonly string[]): string {
  return [...names, "TRAILER!!!"].map((name) => {
    const fields = Array.from({ length: 13 }, () => 0);
    fields[11] = name.length + 1; // c_namesize
    const header = "070701" + fields.map((value) => value.toString(16).padStart(8, "0")).join("");
    const entry = `${header}${name}\0`;
    return entry.padEnd(Math.ceil(entry.length / 4) * 4, "\0");
  }).join("");
}
