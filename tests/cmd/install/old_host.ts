/** A disk with an ordinary system on it, for installations over that. */
import { run } from "../../../lib/sys/run.ts";
import { attached, type Bench, ctx, mounted } from "./disk.ts";

/** What is on its root file system, with /boot. */
const ROOT_FILES = {
  "etc/os-release": "ID=old\n",
  "etc/fstab": "# old\n",
  "home/me/letter": "dear\n",
  "usr/bin/program": "old\n",
  "var/lib/data": "old\n",
  "boot/vmlinuz-old": "kernel\n",
  "boot/grub/grub.cfg": "linux /boot/vmlinuz-old\n",
  "boot/grub/i386-pc/normal.mod": "old\n",
};

/** What is on the EFI system partition; this kernel need not have vfat, so that it is another file system. */
const ESP_FILES = {
  "EFI/BOOT/BOOTX64.EFI": "old shim\n",
  "EFI/BOOT/fbx64.efi": "old\n",
  "EFI/old/grubx64.efi": "old\n",
  "EFI/Microsoft/Boot/bootmgfw.efi": "windows\n",
};

const TABLE = `label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=64MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
`;

/** A mounted system. */
export interface OldHost extends AsyncDisposable {
  readonly root: string;
  readonly esp: string;
  readonly device: string;
}

/** What is written, by path. */
export async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, content);
  }
}

/** Its root and EFI system partition, mounted until the end of the block. */
export async function oldHost(b: Bench, { blank = false } = {}): Promise<OldHost> {
  const disk = await b.disk("old.img", 1536 * 1024 ** 2);
  await run(ctx, ["sfdisk", "--quiet", disk], { stdin: new TextEncoder().encode(TABLE) });
  await using stack = new AsyncDisposableStack();
  const { path: device } = stack.use(await attached(disk));
  for (const number of [2, 3]) await run(ctx, ["mkfs.ext4", "-q", "-F", `${device}p${number}`]);
  const root = stack.use(await mounted(`${device}p3`, `${b.path}/old`)).path;
  const esp = `${root}/boot/efi`;
  await run(ctx, ["mkdir", "-p", esp]);
  stack.use(await mounted(`${device}p2`, esp));
  if (!blank) {
    await writeFiles(root, ROOT_FILES);
    await writeFiles(esp, ESP_FILES);
  }
  const owned = stack.move();
  return { root, esp, device, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** All files and links below a directory with their content, but those below names in `without`. */
export async function contents(root: string, without: readonly string[] = []): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const enter = async (path: string) => {
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(`${root}/${path}`)) {
      const below = path === "" ? name : `${path}/${name}`;
      if (without.includes(below) || name === "lost+found") continue;
      if (isDirectory) await enter(below);
      else {found[below] = isSymlink
          ? await Deno.readLink(`${root}/${below}`)
          : await Deno.readTextFile(`${root}/${below}`);}
    }
  };
  await enter("");
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => a < b ? -1 : 1));
}
