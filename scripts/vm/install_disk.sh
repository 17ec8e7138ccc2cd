#!/bin/sh
# Makes a system disk as an installer would, inside the image's own root. Arguments: the disk's block device, a UUID for the root file
# system, then the words for "ostree container image deploy". Needs mounts of its own, /sys among them.
set -eu
disk=$1 uuid=$2
shift 2

# The partitions: for BIOS' second stage of GRUB, for UEFI, for the system.
sfdisk --quiet "$disk" <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=bios
size=16MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root
TABLE
# The host's kernel may be unable to read the table by itself.
partx --delete "$disk" 2> /dev/null || :
partx --add "$disk"
mkfs.ext4 -q -L root -U "$uuid" -O verity "${disk}p3"
mkdir -p /target
mount "${disk}p3" /target

ostree admin init-fs --modern /target
for setting in bootloader=syslinux readonly=true bootprefix=true; do
  ostree config --repo=/target/ostree/repo set "sysroot.${setting%=*}" "${setting#*=}"
done
# ostree keeps the first line of what it finds; without a TIMEOUT, GRUB would make no menu of it.
mkdir -p /target/boot/loader.0 /target/boot/syslinux /target/boot/grub
echo 'TIMEOUT 10' > /target/boot/loader.0/syslinux.cfg
ln -s loader.0 /target/boot/loader
ln -s ../loader/syslinux.cfg /target/boot/syslinux/syslinux.cfg
bootc internals ostree-container image deploy --sysroot /target --quiet "$@"

# GRUB for BIOS. Its menu is the file that ostree swaps, so nothing is written at an upgrade but by ostree.
grub-install --target=i386-pc --boot-directory=/target/boot --modules="part_gpt ext2 syslinuxcfg" \
  --no-floppy --themes= --fonts= --locales= "$disk" > /tmp/grub.log 2>&1 || { cat /tmp/grub.log >&2; exit 1; }
cat > /target/boot/grub/grub.cfg <<'CONF'
serial --unit=0 --speed=115200
terminfo serial dumb
terminal_input serial console
terminal_output serial console
set pager=0
insmod part_gpt
insmod ext2
insmod linux
insmod linux16
insmod syslinuxcfg
syslinux_configfile -s /boot/loader/syslinux.cfg
CONF

# GRUB for UEFI, in one file that finds the same configuration; written without a mount, as the host's kernel may not know FAT.
cat > /tmp/early.cfg <<CONF
search --no-floppy --fs-uuid --set=root $uuid
set prefix=(\$root)/boot/grub
configfile \$prefix/grub.cfg
CONF
grub-mkimage --format=x86_64-efi --output=/tmp/BOOTX64.EFI --prefix=/boot/grub --config=/tmp/early.cfg \
  part_gpt ext2 fat search search_fs_uuid configfile normal linux syslinuxcfg regexp test echo ls cat sleep reboot halt \
  serial terminal gzio all_video efi_gop loadenv true minicmd boot
cp -r /usr/lib/grub/x86_64-efi /target/boot/grub/
truncate -s 16M /tmp/esp
mkfs.vfat -n ESP /tmp/esp > /dev/null
mmd -i /tmp/esp ::/EFI ::/EFI/BOOT
mcopy -i /tmp/esp /tmp/BOOTX64.EFI ::/EFI/BOOT/BOOTX64.EFI
dd if=/tmp/esp of="${disk}p2" bs=1M conv=fsync status=none
umount /target
