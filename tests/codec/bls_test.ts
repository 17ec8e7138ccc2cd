import { assertEquals, assertThrows } from "@std/assert";
import { parseBlsEntry } from "../../lib/codec/bls.ts";

/** As libostree 2022.7 writes it. */
const ENTRY = `title Debian GNU/Linux 12 (bookworm) (ostree:0)
version 1
options root=LABEL=root rw ostree=/ostree/boot.1/debian/abc/0
linux /ostree/debian-abc/vmlinuz-6.1.0
initrd /ostree/debian-abc/initramfs-6.1.0.img
`;

Deno.test("parseBlsEntry() and toString() round-trip what ostree writes", () => {
  assertEquals(parseBlsEntry(ENTRY).toString(), ENTRY);
});

Deno.test("parseBlsEntry() takes comments, tabs, blank lines, keys without a value and repeated keys", () => {
  const entry = parseBlsEntry("# no\n\n title\t  a  b \noptions x\noptions  y=1\ngrub_users\ninitrd /a\r\ninitrd /b");
  assertEquals(entry.fields, [
    ["title", "a  b"],
    ["options", "x"],
    ["options", "y=1"],
    ["grub_users", ""],
    ["initrd", "/a"],
    ["initrd", "/b"],
  ]);
  assertEquals([entry.options, entry.get("nope"), entry.getAll("initrd")], ["x y=1", undefined, ["/a", "/b"]]);
});

Deno.test("BlsEntry.set() replaces all values of a key in the first one's place", () => {
  const entry = parseBlsEntry("options x\nlinux /k\noptions y\n");
  entry.set("options", "z");
  entry.set("new", "1");
  entry.remove("linux");
  assertEquals(entry.toString(), "options z\nnew 1\n");
});

for (const [key, value] of [["a b", "x"], ["", "x"], ["#a", "x"], ["options", "x\nlinux /evil"]] as const) {
  Deno.test(`BlsEntry.set() rejects ${JSON.stringify([key, value])}`, () => {
    assertThrows(() => parseBlsEntry("").set(key, value), RangeError);
  });
}
