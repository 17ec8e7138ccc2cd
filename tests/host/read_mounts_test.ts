import { assertEquals } from "@std/assert";
import { readOnlyMedium, usrOverlayOf } from "../../lib/host/read_mounts.ts";
import type { UsrOverlay } from "../../lib/host/spec.ts";

const root =
  "28 1 254:2 /ostree/deploy/default/deploy/aa.0 / rw,relatime shared:1 - ext4 /dev/vda2 rw,errors=remount-ro";
const sysroot = "30 28 254:2 / /sysroot ro,relatime shared:2 - ext4 /dev/vda2 rw,errors=remount-ro";
const usr = "31 28 254:2 /ostree/deploy/default/deploy/aa.0/usr /usr ro,relatime - ext4 /dev/vda2 rw";
const overlay = (options: string, upper: string) =>
  `90 28 0:50 / /usr ${options},relatime shared:3 - overlay overlay rw,lowerdir=usr,upperdir=${upper},workdir=/var/tmp/w`;

const overlays: [string, string[], UsrOverlay | null][] = [
  ["no mount", [root, sysroot], null],
  ["the read-only bind mount", [root, sysroot, usr], null],
  [
    "an overlay",
    [root, usr, overlay("rw", "/var/tmp/ostree-unlock-ovl.ABC/upper")],
    { accessMode: "readWrite", persistence: "transient" },
  ],
  [
    "a read-only overlay",
    [root, usr, overlay("ro", "/var/tmp/ostree-unlock-ovl.ABC/upper")],
    { accessMode: "readOnly", persistence: "transient" },
  ],
  [
    "a hotfix",
    [root, usr, overlay("rw", "/sysroot/ostree/deploy/default/deploy/aa.0/.usr-ovl-upper")],
    { accessMode: "readWrite", persistence: "persistent" },
  ],
  ["an overlay below the topmost mount", [overlay("rw", "/u"), usr], null],
  ["an overlay without an upper layer", ["91 1 0:5 / /usr ro - overlay composefs ro,lowerdir+=/a,metacopy=on"], null],
  ["an overlay elsewhere", [overlay("rw", "/u").replace(" /usr ", " /usr/local ")], null],
  ["lines of another form", ["", "nonsense", "a - b"], null],
];

for (const [what, lines, expected] of overlays) {
  Deno.test(`usrOverlayOf() sees ${what}`, () => assertEquals(usrOverlayOf(lines.join("\n") + "\n"), expected));
}

const live = "28 1 7:0 / / ro,relatime - squashfs /dev/loop0 ro,errors=continue";
const media: [string, string[], string, boolean][] = [
  ["a read-only mount of a writable disk", [root, sysroot], "/sysroot", false],
  ["a live medium", [live], "/sysroot", true],
  [
    "a writable disk on a live medium",
    [live, "40 28 8:1 / /mnt/my\\040disk rw - ext4 /dev/sda1 rw"],
    "/mnt/my disk/os",
    false,
  ],
  ["a neighbour by name", [root, "40 28 8:1 / /mnt/a ro - iso9660 /dev/sr0 ro"], "/mnt/ab", false],
  [
    "the topmost of two mounts",
    [root, "40 28 8:1 / /mnt rw - ext4 /dev/sda1 rw", "41 28 8:2 / /mnt ro - iso9660 /dev/sr0 ro"],
    "/mnt",
    true,
  ],
  ["no mount at all", [], "/", false],
];

for (const [what, lines, path, expected] of media) {
  Deno.test(`readOnlyMedium() sees ${what}`, () => assertEquals(readOnlyMedium(lines.join("\n"), path), expected));
}
