#!/bin/sh
# From a plain Debian root to a tree that ostree can deploy and boot. Runs inside that root, with /dev and /proc of the host.
set -eu

# The kernel and its initramfs lie beside the modules; ostree takes them from there. The initramfs needs ostree's dracut module: without
# it everything succeeds but the boot.
version=$(ls /usr/lib/modules)
modules=/usr/lib/modules/$version
[ -e "$modules/vmlinuz" ] || cp -L "/boot/vmlinuz-$version" "$modules/vmlinuz"
mkdir -p /usr/lib/ostree
printf '[sysroot]\nreadonly = true\n' > /usr/lib/ostree/prepare-root.conf
dracut --force --quiet --reproducible --no-hostonly --no-hostonly-cmdline --no-early-microcode --zstd --kver "$version" \
  --modules "base shell-interpreter dash systemd systemd-initrd systemd-udevd systemd-journald systemd-modules-load udev-rules rootfs-block fs-lib kernel-modules dracut-systemd ostree" \
  --drivers "virtio_blk virtio_scsi virtio_net sd_mod ahci overlay loop ext4" \
  "$modules/initramfs.img" > /tmp/dracut.log 2>&1 || { cat /tmp/dracut.log >&2; exit 1; }
chmod 0644 "$modules/initramfs.img"
rm -f /vmlinuz* /initrd.img* /boot/*

# What is written while the system runs is in /var (and /etc); the other directories at the top point there.
for name in home srv mnt opt; do rm -rf "/$name"; ln -s "var/$name" "/$name"; done
rm -rf /root /media
ln -s var/roothome /root
ln -s run/media /media
mkdir -p /sysroot
ln -s sysroot/ostree /ostree
cat > /usr/lib/tmpfiles.d/image-layout.conf <<'CONF'
d /var/home 0755 root root -
d /var/roothome 0700 root root -
d /var/srv 0755 root root -
d /var/mnt 0755 root root -
d /var/opt 0755 root root -
d /run/media 0755 root root -
L /etc/resolv.conf - - - - ../run/systemd/resolve/stub-resolv.conf
L /var/lib/dpkg - - - - ../../usr/lib/sysimage/dpkg
CONF

# The list of installed packages belongs to the image, so it may not lie in /var.
mkdir -p /usr/lib/sysimage
mv /var/lib/dpkg /usr/lib/sysimage/dpkg

# Nothing of the machine that built this; an empty machine-id makes each first boot take one of its own.
# (A container engine lays files of its own over the first two while it builds; the Containerfile empties what is below them.)
rm -f /etc/resolv.conf /etc/hostname 2> /dev/null || :
rm -f /etc/.pwd.lock /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow-
: > /etc/machine-id
: > /etc/fstab
[ -e /etc/resolv.conf ] || ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
systemctl set-default multi-user.target > /dev/null 2>&1
mkdir -p /etc/systemd/system-generators
ln -sf /dev/null /etc/systemd/system-generators/systemd-gpt-auto-generator
