#!/bin/sh
# What an image needs to be driven in a virtual machine: the guest agent, a fixed address, and nothing that only costs time. Runs inside
# the image's root.
set -eu
units=/usr/lib/systemd/system

# The package leaves it to udev, which has seen all other devices before the port.
mkdir -p "$units/multi-user.target.wants"
cat > "$units/machine-agent.service" <<'UNIT'
[Unit]
Description=Guest agent of the virtual machine
[Service]
ExecStartPre=/bin/sh -c 'modprobe virtio_console; until ls /dev/vport*; do sleep 0.1; done'
ExecStart=/bin/sh -c 'exec qemu-ga --path=$(ls /dev/vport*)'
Restart=on-failure
UNIT
ln -s ../machine-agent.service "$units/multi-user.target.wants/machine-agent.service"

# The user-mode network of QEMU: the host, and what listens on its loopback, is 10.0.2.2. A registry there speaks plain http.
cat > /usr/lib/systemd/network/10-machine.network <<'CONF'
[Match]
Type=ether
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
LinkLocalAddressing=no
IPv6AcceptRA=no
CONF
systemctl enable systemd-networkd.service > /dev/null 2>&1
systemctl disable systemd-networkd-wait-online.service > /dev/null 2>&1
mkdir -p /etc/containers/registries.conf.d
printf '[[registry]]\nlocation = "10.0.2.2"\ninsecure = true\n' > /etc/containers/registries.conf.d/10-machine.conf

# Nobody sits before it: no logins, no work in the background, nothing rebuilt at the first boot.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  systemd-firstboot.service ldconfig.service systemd-hwdb-update.service systemd-journal-catalog-update.service \
  grub-common.service grub2-common.service systemd-pcrmachine.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service \
  netavark-dhcp-proxy.socket netavark-dhcp-proxy.service podman.socket podman-auto-update.timer podman-clean-transient.service \
  qemu-guest-agent.service systemd-networkd-persistent-storage.service e2scrub_reap.timer \
  getty@tty1.service serial-getty@ttyS0.service; do
  ln -sfn /dev/null "/etc/systemd/system/$unit"
done
# What generators would find is not here; each is a program that runs at every boot.
mkdir -p /etc/systemd/system-generators
for path in /usr/lib/systemd/system-generators/*; do
  case $path in
    */ostree-system-generator | *bootc* | */systemd-fstab-generator | */systemd-system-update-generator) ;;
    *) ln -sfn /dev/null "/etc/systemd/system-generators/$(basename "$path")" ;;
  esac
done
echo machine > /etc/hostname
