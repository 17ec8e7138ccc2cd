/** `bootc container lint` on roots that are made of Debian packages. */
import { assertEquals } from "@std/assert";
import { LINTS } from "../../../lib/rootfs/lint/table.ts";
import { directory, fifo, rootOf, type RootTree, symlink, text } from "../../root_files.ts";
import { bootc } from "../bootc.ts";

const MODULES = "usr/lib/modules/6.12.1-cloud-amd64";
const LIBRARIES = "usr/lib/x86_64-linux-gnu";

/** What debootstrap and Debian's packages leave in a root, in so far as a lint looks at it. */
const BARE: RootTree = {
  ...Object.fromEntries(
    ["dev", "proc", "sys", "tmp", "boot", "home", "mnt", "opt", "srv", "media", "var/mail"].map((
      name,
    ) => [name, directory]),
  ),
  ...Object.fromEntries(["bin", "sbin", "lib"].map((name) => [name, symlink(`usr/${name}`)])),
  "run/lock/subsys": directory,
  "var/run": symlink("/run"),
  "var/lock": symlink("/run/lock"),
  "var/lib/dpkg/status": text("Package: base-files\n"),
  "var/log/alternatives.log": text(""),
  "root/.bashrc": text("# ~/.bashrc\n"),
  "root/.profile": text("# ~/.profile\n"),
  "etc/machine-id": text(""),
  "etc/os-release": symlink("../usr/lib/os-release"),
  "usr/lib/os-release": text("ID=debian\n"),
  "etc/passwd": text(
    "root:x:0:0:root:/root:/bin/bash\n" +
      "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n" +
      "_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n" +
      "messagebus:x:997:997:System Message Bus:/nonexistent:/usr/sbin/nologin\n",
  ),
  "etc/group": text("root:x:0:\nwww-data:x:33:\nstaff:x:50:\nmessagebus:x:997:\n"),
  "usr/share/base-passwd/passwd.master": text(
    "root:*:0:0:root:/root:/bin/bash\nwww-data:*:33:33:www-data:/var/www:/usr/sbin/nologin\n" +
      "_apt:*:42:65534::/nonexistent:/usr/sbin/nologin\n",
  ),
  "usr/share/base-passwd/group.master": text("root:*:0:\nwww-data:*:33:\nstaff:*:50:\n"),
  "usr/lib/sysusers.d/dbus.conf": text(`u messagebus - "System Message Bus"\n`),
  [`${LIBRARIES}/libostree-1.so.1`]: text("ELF"),
  [`${MODULES}/vmlinuz`]: text("kernel"),
  [`${MODULES}/modules.order`]: text("kernel/x.ko\n"),
};

/** The same as contrib/debian-image.sh makes it fit for ostree. */
const SHAPED: RootTree = {
  ...Object.fromEntries(
    Object.entries(BARE).filter(([path]) => !/^(home|mnt|opt|srv|media|root|var\/lib\/dpkg)(\/|$)/.test(path)),
  ),
  ...Object.fromEntries(["home", "mnt", "opt", "srv"].map((name) => [name, symlink(`var/${name}`)])),
  root: symlink("var/roothome"),
  media: symlink("run/media"),
  sysroot: directory,
  ostree: symlink("sysroot/ostree"),
  "usr/lib/sysimage/dpkg/status": text("Package: base-files\n"),
  "usr/lib/ostree/prepare-root.conf": text("[sysroot]\nreadonly = true\n"),
  [`${MODULES}/initramfs.img`]: text("initramfs"),
};

function requiringComposefs(tree: RootTree): RootTree {
  return { ...tree, "usr/lib/ostree/prepare-root.conf": text("[composefs]\nenabled = yes\n") };
}

const rows: [fact: string, tree: RootTree, findings: string[]][] = [
  ["passes one that was made fit for ostree", SHAPED, []],
  ["says what a bare one lacks", BARE, [
    "Failed lint: baseimage-root: Missing /sysroot",
    "Lint warning: dpkg-database: /var/lib/dpkg is a directory, which upgrades do not reach; move it to /usr/lib/sysimage/dpkg",
    "Lint warning: dropped-content: Found content outside /usr, /etc and /var, which an import onto an ostree base leaves out:\n" +
    "  /root/.bashrc\n  /root/.profile\n",
    `Failed lint: initramfs: Found a kernel without initramfs.img beside it:\n  /${MODULES}/vmlinuz\n`,
    "Lint warning: state-directories: Found directories whose content the next upgrade would lose; make them links into /var:\n" +
    "  /home\n  /mnt\n  /opt\n  /root\n  /srv\n",
  ]],
  ["refuses composefs where ostree was built without it", requiringComposefs(SHAPED), [
    "Failed lint: prepare-root: ostree/prepare-root.conf requires composefs, but there is no libcomposefs: the system would not boot",
  ]],
  ["takes composefs where ostree has it", {
    ...requiringComposefs(SHAPED),
    [`${LIBRARIES}/libcomposefs.so.1`]: text("ELF"),
  }, []],
  ["asks for composefs where ostree has it", { ...SHAPED, [`${LIBRARIES}/libcomposefs.so.1`]: text("ELF") }, [
    "Lint warning: baseimage-composefs: ostree/prepare-root.conf does not have composefs enabled",
  ]],
  ["knows Debian's static users by their numbers", {
    ...SHAPED,
    "etc/passwd": text("www-data:x:3333:33:www-data:/var/www:/usr/sbin/nologin\n"),
    "etc/group": text("staff:x:51:\nwww-data:x:33:\n"),
  }, [
    "Lint warning: sysusers: Found /etc/passwd entry without corresponding systemd sysusers.d:\n  www-data\n" +
    "Found /etc/group entry without corresponding systemd sysusers.d:\n  staff\n",
  ]],
  ["lets a lock in /run/lock not pass", { ...SHAPED, "run/lock/subsys/x": text("") }, [
    "Lint warning: nonempty-run-tmp: Found content in runtime-only directories (/run, /tmp):\n" +
    "  /run/lock\n  /run/lock/subsys\n  /run/lock/subsys/x\n",
  ]],
  ["ignores a FIFO where the import leaves it out", { ...SHAPED, "data/queue": fifo, "var/queue": fifo }, [
    "Lint warning: dropped-content: Found content outside /usr, /etc and /var, which an import onto an ostree base leaves out:\n" +
    "  /data\n",
    "Failed lint: special-files: Found devices or FIFOs:\n  /var/queue (fifo)\n",
  ]],
];

for (const [fact, tree, findings] of rows) {
  Deno.test(`bootc container lint on a Debian root ${fact}`, async () => {
    await using root = await rootOf(tree);
    const { code, stdout } = await bootc("container", "lint", "--rootfs", root.path);
    const warnings = findings.filter((finding) => finding.startsWith("Lint warning")).length;
    const summary = [
      `Checks passed: ${LINTS.length - 1 - findings.length}`,
      "Checks skipped: 1",
      ...(warnings > 0 ? [`Warnings: ${warnings}`] : []),
    ];
    assertEquals(stdout, [...findings, ...summary].map((line) => `${line}\n`).join(""));
    assertEquals(code, findings.length > warnings ? 1 : 0);
  });
}
