import { assertEquals } from "@std/assert";
import { prefixed, prefixEntries } from "../../lib/install/boot/bls_prefix.ts";
import { tempDir } from "../temp.ts";

const OLD = "title Debian\nversion 1\noptions root=UUID=x ostree=/ostree/boot.1/default/a/0\n" +
  "linux /ostree/default-a/vmlinuz-6\ninitrd /ostree/default-a/initramfs-6.img\n";
const NEW = OLD.replace("linux /ostree", "linux /boot/ostree").replace("initrd /ostree", "initrd /boot/ostree");

const rows: [fact: string, text: string, expected: string | undefined][] = [
  ["puts /boot before kernel and initramfs, and leaves arguments alone", OLD, NEW],
  ["leaves an entry that has it", NEW, undefined],
  ["leaves the entries of others", "title X\nlinux /vmlinuz\ninitrd /ostreeish\n", undefined],
];

for (const [fact, text, expected] of rows) {
  Deno.test(`prefixed() ${fact}`, () => assertEquals(prefixed(text), expected));
}

Deno.test("prefixEntries() changes what lacks the prefix, behind the link that libostree swaps", async () => {
  await using tmp = await tempDir();
  const entries = `${tmp.path}/loader.1/entries`;
  await Deno.mkdir(entries, { recursive: true });
  await Deno.symlink("loader.1", `${tmp.path}/loader`);
  const files = { "ostree-1-default.conf": OLD, "ostree-2-default.conf": NEW, "readme": OLD };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${entries}/${name}`, text);
  await prefixEntries(tmp.path);
  const read = (name: string) => Deno.readTextFileSync(`${entries}/${name}`);
  assertEquals(Object.keys(files).map(read), [NEW, NEW, OLD]);
});
