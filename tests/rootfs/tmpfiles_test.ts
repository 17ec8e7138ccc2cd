import { assertEquals } from "@std/assert";
import { declaredPath, linkLine } from "../../lib/rootfs/tmpfiles.ts";

const lines: [line: string, path: string | undefined][] = [
  ["z /dev/kvm          0666 - kvm -", "/dev/kvm"],
  ["d /run/lock/lvm 0700 root root -", "/run/lock/lvm"],
  [
    "a+      /var/lib/tpm2-tss/system/keystore   -    -    -     -           default:group:tss:rwx",
    "/var/lib/tpm2-tss/system/keystore",
  ],
  [`d "/run/file with spaces/foo" 0700 root root -`, "/run/file with spaces/foo"],
  [String.raw`d /spaces\x20\x20here/foo 0700 root root -`, "/spaces  here/foo"],
  [String.raw`d "/a\"b\\c\t" -`, `/a"b\\c\t`],
  ["  d!  /indented", "/indented"],
  ["d /bytes\xff", "/bytes\xff"],
  ["# d /comment", undefined],
  ["d", undefined],
  ["", undefined],
];

for (const [line, path] of lines) {
  Deno.test(`declaredPath() finds ${JSON.stringify(path)} in ${JSON.stringify(line)}`, () => {
    assertEquals(declaredPath(line), path);
  });
}

Deno.test("linkLine() escapes what would end a path, and gives it back", () => {
  const line = linkLine("/var/a b\\%", "../x\xff");
  assertEquals(line, String.raw`L /var/a\x20b\\%% - - - - ../x\xff`);
  assertEquals(declaredPath(line), "/var/a b\\%%");
});
