import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseLsblk, partitionPath, requireFree } from "../../lib/install/block_device.ts";
import { bootFiles } from "../../lib/install/boot/boot_loader.ts";
import { bootupdArgv } from "../../lib/install/boot/bootupd.ts";
import { chooseBootLoader, ostreeBootloader } from "../../lib/install/boot/choose.ts";
import { blsConfig, syslinuxConfig } from "../../lib/install/boot/grub_config.ts";
import { mkfsArgv } from "../../lib/install/file_system.ts";
import { parseFindmnt } from "../../lib/install/mounted_target.ts";
import { parseContainerEnv } from "../../lib/install/source.ts";
import { plainContext } from "../../lib/sys/context.ts";
import { UserError } from "../../lib/sys/errors.ts";

for (
  const [disk, path] of [["/dev/sda", "/dev/sda3"], ["/dev/nvme0n1", "/dev/nvme0n1p3"], ["/dev/loop0", "/dev/loop0p3"]]
) {
  Deno.test(`partitionPath() names ${path}`, () => assertEquals(partitionPath(disk!, 3), path));
}

Deno.test("parseLsblk() collects what is mounted below a disk", () => {
  const volume = { path: "/dev/mapper/vg-x", type: "lvm", size: 4, mountpoints: [null] };
  const part = {
    path: "/dev/sda1",
    type: "part",
    children: [volume],
    size: 5,
    model: null,
    serial: null,
    mountpoints: ["/boot", null],
  };
  const disk = {
    path: "/dev/sda",
    type: "disk",
    size: 10,
    mountpoints: [null],
    children: [part],
  };
  assertEquals(parseLsblk(JSON.stringify({ blockdevices: [disk] })), {
    path: "/dev/sda",
    sizeBytes: 10,
    mountPoints: ["/boot"],
    partitions: ["/dev/sda1"],
    holders: ["/dev/mapper/vg-x (lvm)"],
  });
});

const IDLE = {
  path: "/dev/sda",
  sizeBytes: 1,
  model: null,
  serial: null,
  mountPoints: [],
  partitions: [],
  holders: [],
};
const BUSY = [
  ["is mounted: /boot", { mountPoints: ["/boot"] }],
  ["is in use by /dev/mapper/vg-x (lvm)", { holders: ["/dev/mapper/vg-x (lvm)"] }],
] as const;
for (const [what, busy] of BUSY) {
  Deno.test(`requireFree() refuses a disk that ${what}, also to wipe it`, async () => {
    const free = requireFree(plainContext({}), { ...IDLE, ...busy }, { wipe: true });
    await assertRejects(() => free, UserError, `Device /dev/sda ${what}`);
  });
}

for (const text of ["{}", '{"blockdevices":[]}', '{"blockdevices":[{"path":"/dev/sda"}]}']) {
  Deno.test(`parseLsblk() refuses ${text}`, () => {
    assertThrows(() => parseLsblk(text), SyntaxError, "no device with a size");
  });
}

Deno.test("parseFindmnt() gives the mount, or nothing where there is none", () => {
  const mount = { target: "/mnt", source: "/dev/sda3", uuid: "1-2", fsroot: "/", fstype: "ext4" };
  assertEquals(parseFindmnt(JSON.stringify({ filesystems: [mount] })), mount);
  assertEquals(parseFindmnt("{}"), undefined);
});

const ROOT = { uuid: "u", label: "root" };
const MKFS = [
  ["ext4", "mkfs.ext4 -q -F -O verity -U u -L root /dev/a1"],
  ["xfs", "mkfs.xfs -q -f -m uuid=u -L root /dev/a1"],
  ["btrfs", "mkfs.btrfs -q -f -U u -L root /dev/a1"],
] as const;
for (const [type, argv] of MKFS) {
  Deno.test(`mkfsArgv() makes ${type} with its UUID`, () => {
    assertEquals(mkfsArgv("/dev/a1", { type, ...ROOT }, ["verity"]).join(" "), argv);
  });
}

Deno.test("parseContainerEnv() reads what podman says of a container", () => {
  const text = 'engine="podman-4.3.1"\nname="x"\nimage="quay.io/os:1"\nimageid="abc"\nrootless=0\n';
  assertEquals(parseContainerEnv(text).get("image"), "quay.io/os:1");
  assertEquals(parseContainerEnv(text).get("rootless"), "0");
  assertEquals(parseContainerEnv("").size, 0);
});

/** A tree of GRUB's modules, and of whole paths. */
function tree(modules: Readonly<Record<string, readonly string[]>>) {
  return (path: string) => modules[path.replace("usr/lib/grub/", "")]?.map((name) => ({ name, kind: "file" as const }));
}

const GRUB_BLS = { "i386-pc": ["blscfg.mod"], "x86_64-efi": ["blscfg.mod"] };

const LOADERS = [
  ["Debian 13's GRUB", { "i386-pc": ["syslinuxcfg.mod"], "x86_64-efi": ["syslinuxcfg.mod"] }, "grub-syslinux"],
  ["a GRUB with blscfg", { "x86_64-efi": ["blscfg.mod", "syslinuxcfg.mod"] }, "grub-bls"],
  ["GRUB 2.14", { "i386-pc": ["blsuki.mod"], "x86_64-efi": ["blsuki.mod"] }, "grub-bls"],
  ["one that reads BLS for UEFI alone", {
    "i386-pc": ["syslinuxcfg.mod"],
    "x86_64-efi": ["blscfg.mod", "syslinuxcfg.mod"],
  }, "grub-syslinux"],
  ["bootupd before GRUB", {
    ...GRUB_BLS,
    "usr/lib/bootupd/updates": [],
    "usr/bin": ["bootupctl"],
  }, "bootupd"],
  ["what bootupd would install, without bootupd", { ...GRUB_BLS, "usr/lib/bootupd/updates": ["EFI.json"] }, "grub-bls"],
  ["a bootupd that has nothing to install", { ...GRUB_BLS, "usr/bin": ["bootupctl"] }, "grub-bls"],
] as const;
for (const [what, modules, name] of LOADERS) {
  Deno.test(`chooseBootLoader() boots ${what} by ${name}`, async () => {
    assertEquals(chooseBootLoader(await bootFiles(tree(modules)), undefined).name, name);
  });
}

Deno.test("chooseBootLoader() refuses an image without one, unless none is wanted", async () => {
  const files = await bootFiles(tree({}));
  assertThrows(() => chooseBootLoader(files, undefined), UserError, "The image has no boot loader");
  for (const loader of ["systemd", "grub-cc"] as const) {
    assertThrows(
      () => ostreeBootloader(loader),
      UserError,
      `The boot loader "${loader}" cannot boot a system of ostree`,
    );
  }
  assertEquals(chooseBootLoader(files, "none").name, "none");
});

Deno.test("grub.cfg reads the entries from where /boot is", () => {
  assertEquals(syslinuxConfig("/boot").includes("\nsyslinux_configfile -s /boot/loader/syslinux.cfg\n"), true);
  assertEquals(syslinuxConfig("").includes("\nsyslinux_configfile -s /loader/syslinux.cfg\n"), true);
  assertEquals(blsConfig("").includes("\nblscfg --path ($root)/loader/entries\n"), true);
});

Deno.test("grub.cfg tells systemd the disk by UEFI alone, where the root is to be found by that", () => {
  const line = 'if [ "$grub_platform" = efi ]; then\n  insmod bli\nfi\n';
  for (const config of [syslinuxConfig, blsConfig]) {
    assertEquals([config("", { bli: true }).includes(line), config("").includes("bli\n")], [true, false]);
  }
});

const BOOTUPD = [
  [
    { genericImage: false, skipBootUuid: false },
    undefined,
    "--write-uuid --update-firmware --auto --filesystem /sysroot /",
  ],
  [{ genericImage: true, skipBootUuid: false }, undefined, "--write-uuid --filesystem /sysroot /"],
  [{ genericImage: true, skipBootUuid: true }, "/dev/sda", "--with-static-configs --device /dev/sda /"],
] as const;
for (const [options, disk, words] of BOOTUPD) {
  Deno.test(`bootupdArgv() is the reference's: ${words}`, () => {
    assertEquals(bootupdArgv(options, disk).join(" "), `bootupctl backend install ${words}`);
  });
}
