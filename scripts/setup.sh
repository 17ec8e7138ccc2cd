#!/bin/sh
# Installs what building, testing, the benchmark and the demo need: on Debian or Ubuntu with apt, on Fedora or CentOS with dnf.
# Safe to run again, and quick (well under a second) when all is there. Needs root or sudo for what is missing.
# With --build only what `deno task compile` and the source packages need.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."

DENO_VERSION=$(sed -n 's/^deno==\([^ ]*\) .*/\1/p' scripts/deno.requirements.txt)
CACHE="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/bootc-ts"
LINK=/usr/local/bin/deno

case "$*" in
  "") for_tests=yes ;;
  --build) for_tests= ;;
  *) echo "setup: unknown option \"$*\": only --build is known" >&2; exit 2 ;;
esac

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif have sudo; then sudo "$@"
  else die "cannot run \"$*\": not root, and no sudo here; run this script as root"
  fi
}

missing=
need() { # need PACKAGE COMMAND|FILE...: notes the package unless one of the commands or files is there
  package=$1; shift
  for it in "$@"; do
    case "$it" in
      /*) [ ! -e "$it" ] || return 0 ;;
      *) ! have "$it" || return 0 ;;
    esac
  done
  missing="$missing $package"
}

needed_to_build() { # the packages that are named alike everywhere
  need npm npm
  need python3 python3
  need python3-pip pip3
  need git git
  need make make
  need zstd zstd
  need gzip gzip
  need tar tar
  need findutils find
}

needed_to_test() {
  need ostree ostree
  need skopeo skopeo
  need podman podman
  need mmdebstrap mmdebstrap
  need e2fsprogs mkfs.ext4 /sbin/mkfs.ext4
  need xfsprogs mkfs.xfs /sbin/mkfs.xfs /usr/sbin/mkfs.xfs
  need dosfstools mkfs.vfat /sbin/mkfs.vfat /usr/sbin/mkfs.vfat
  need mtools mcopy
  need util-linux unshare
  need cpio cpio
  need gpg gpg
  need rpmlint rpmlint
  need dpkg-dev dpkg-buildpackage
  need debhelper dh
  need lintian lintian
  need qemu-user-static qemu-aarch64-static
}

if have apt-get; then
  needed_to_build
  need rpm rpmbuild
  need ca-certificates /etc/ssl/certs/ca-certificates.crt
  if [ "$for_tests" ]; then
    needed_to_test
    need libisal2 /usr/lib/*/libisal.so.2
    need gpg-agent gpg-agent
    need docker-registry docker-registry
    need mount mount
    need xz-utils xz
    need fdisk sfdisk /sbin/sfdisk
    # For tests of completions and manual pages, which are skipped without them.
    need zsh zsh
    need fish fish
    need man-db man
    need mandoc mandoc
    need libarchive-tools bsdtar
  fi
  if [ -n "$missing" ]; then
    say "installing$missing"
    [ -z "$for_tests" ] || say "with what these need: up to 700 packages and 1.2 GB, in a minute or two"
    as_root apt-get -q update >&2
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing >&2 </dev/null
    # Debian starts a registry for everybody with the package; the demo and the tests start their own.
    case "$missing" in
      *docker-registry*) [ ! -d /run/systemd/system ] || as_root systemctl disable --now docker-registry >&2 || true ;;
    esac
  fi
elif have dnf; then
  needed_to_build
  need rpm-build rpmbuild
  if [ "$for_tests" ]; then
    needed_to_test
    need xz xz
    need isa-l /usr/lib64/libisal.so.2 /usr/lib/libisal.so.2
    need docker-distribution registry docker-registry
  fi
  if [ -n "$missing" ]; then
    say "installing$missing"
    # shellcheck disable=SC2086
    as_root dnf -y install $missing >&2 </dev/null
  fi
else
  say "no apt-get and no dnf here: see this script for what has to be installed by hand"
fi

# Deno comes as a Python wheel (scripts/deno.ts fetches the same) and is linked to where the next command finds it.
deno_version() { deno --version 2>/dev/null | sed -n '1s/^deno \([^ ]*\).*/\1/p'; }
if [ "$(deno_version)" != "$DENO_VERSION" ]; then
  case "$(uname -m)" in
    x86_64 | amd64) arch=x64 machine=x86_64 ;;
    aarch64 | arm64) arch=arm64 machine=aarch64 ;;
    *) die "there is no Deno for $(uname -m)" ;;
  esac
  binary="$CACHE/deno-$DENO_VERSION-$arch/deno"
  if [ ! -e "$binary" ]; then
    say "fetching Deno $DENO_VERSION"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
      --platform "manylinux_2_27_$machine" --dest "$scratch" --requirement scripts/deno.requirements.txt >&2 </dev/null ||
      die "pip could not fetch Deno $DENO_VERSION: the lines above say why"
    python3 -m zipfile -e "$scratch"/deno-*.whl "$scratch/wheel"
    mkdir -p "${binary%/deno}"
    cp "$scratch/wheel/deno-$DENO_VERSION.data/scripts/deno" "$binary.partial"
    chmod 0755 "$binary.partial"
    mv "$binary.partial" "$binary"
  fi
  as_root ln -sfn "$binary" "$LINK"
  hash -r
  [ "$(deno_version)" = "$DENO_VERSION" ] ||
    die "Deno $DENO_VERSION is at $LINK, but $(command -v deno || echo none) comes first on the PATH: put /usr/local/bin before it"
fi

# The packages of package.json: vendor/std re-exports one, the others make and check what `deno task docs` writes.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say "installing the npm packages"
  npm ci --silent --no-audit --no-fund >&2 </dev/null
  touch node_modules/.package-lock.json
fi

# denort, the runtime that "deno compile" puts into the executable.
[ -n "${DENORT_BIN:-}" ] || deno run --quiet --allow-all scripts/denort.ts >/dev/null

[ "$for_tests" ] || exit 0
say "all is here: Deno $DENO_VERSION, $(ostree --version | sed -n "s/^ *Version: '\(.*\)'/ostree \1/p"), $(skopeo --version | sed 's/version //')"
