#!/bin/sh
# Installs everything that building, testing and the demo need: on Debian or Ubuntu with apt, on Fedora or CentOS with dnf.
# Quick when all is there already; safe to run again. Needs root, or a machine on which everything is installed.
set -eu
cd "$(dirname "$0")/.."

DENO_VERSION=2.7.14
CACHE="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/bootc-ts"

say() { echo "setup: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif have sudo; then sudo "$@"
  else say "cannot run \"$*\": not root, and there is no sudo; run this script as root"; exit 1
  fi
}

missing=
need() { # need COMMAND-OR-FILE PACKAGE: notes the package unless the command or file is there
  case "$1" in
    /*) for f in $1; do [ -e "$f" ] && return; done ;;
    *) have "$1" && return ;;
  esac
  missing="$missing $2"
}

if have apt-get; then
  need npm npm
  need ostree ostree
  need skopeo skopeo
  need "/usr/lib/*/libisal.so.2 /lib/*/libisal.so.2" libisal2
  need mmdebstrap mmdebstrap
  need docker-registry docker-registry
  need python3 python3
  need zstd zstd
  need git git
  need mkfs.ext4 e2fsprogs
  need mount mount
  need losetup mount
  need unshare util-linux
  need /etc/ssl/certs/ca-certificates.crt ca-certificates
  if [ -n "$missing" ]; then
    say "installing$missing"
    # shellcheck disable=SC2086
    root env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -q update && apt-get -q -y install --no-install-recommends "$@"' sh $missing >&2
  fi
  if ! python3 -m pip --version >/dev/null 2>&1; then
    root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends python3-pip >&2
  fi
elif have dnf; then
  need npm npm
  need ostree ostree
  need skopeo skopeo
  need "/usr/lib64/libisal.so.2" isa-l
  need mmdebstrap mmdebstrap
  need registry docker-distribution
  need python3 python3
  need zstd zstd
  need git git
  need mkfs.ext4 e2fsprogs
  need unshare util-linux
  python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
  if [ -n "$missing" ]; then
    say "installing$missing"
    # shellcheck disable=SC2086
    root dnf -y install $missing >&2
  fi
else
  say "neither apt-get nor dnf is here: install npm, ostree, skopeo, ISA-L, mmdebstrap, docker-registry, python3 with pip and git by hand"
fi

# Deno comes as an npm package; it is linked into /usr/local/bin so that the next command finds it.
if ! have deno || [ "$(deno --version 2>/dev/null | sed -n '1s/deno \([^ ]*\).*/\1/p')" != "$DENO_VERSION" ]; then
  say "installing Deno $DENO_VERSION"
  mkdir -p "$CACHE/deno"
  npm install --silent --no-audit --no-fund --prefix "$CACHE/deno" "deno@$DENO_VERSION" >&2
  bin=$(find "$CACHE/deno/node_modules/@deno" -type f -name deno -perm -u+x | head -n 1)
  [ -n "$bin" ] || { say "npm brought no Deno for this machine ($(uname -m))"; exit 1; }
  root ln -sfn "$bin" /usr/local/bin/deno
fi

# The packages of package.json, as npm carries them (vendor/std re-exports them).
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say "installing the npm packages"
  npm ci --silent --no-audit --no-fund >&2
  touch node_modules/.package-lock.json
fi

# denort, the runtime that `deno compile` embeds.
deno run --quiet -A scripts/denort.ts >&2
say "ready"
