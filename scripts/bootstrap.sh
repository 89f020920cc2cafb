#!/usr/bin/env bash
# Usage: scripts/bootstrap.sh
# Installs the Debian packages that apt-packages.txt lists and this machine lacks. Needs Debian 12, and root or sudo.
# Does nothing where all of them are installed. Elsewhere: install the same libraries your own way and set
# CATHOSCOPE_NO_BOOTSTRAP=1 for the other scripts.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

require_debian_12() {
  local ID="" VERSION_ID="" PRETTY_NAME="an unknown system"
  # shellcheck source=/dev/null
  [ ! -r /etc/os-release ] || source /etc/os-release
  if [ "$ID" != debian ] || [ "$VERSION_ID" != 12 ] || ! command -v apt-get >/dev/null; then
    die "this script knows Debian 12 (bookworm); this is $PRETTY_NAME." \
      "Install the libraries of apt-packages.txt your own way, then set CATHOSCOPE_NO_BOOTSTRAP=1 and run again."
  fi
}

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -eq 0 ]; then
  say "all packages of apt-packages.txt are installed"
  exit 0
fi
require_debian_12

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || die "installing ${missing[*]} needs root: run as root, or install sudo"
  as_root=(sudo)
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    "$@" </dev/null >&2
}

say "installing ${#missing[@]} packages: ${missing[*]}"
# The package lists are fetched only where the present ones do not know a package, or name a version that is gone.
if ! apt-get install --simulate --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
  apt update
  apt install -y --no-install-recommends "${missing[@]}"
elif ! apt install -y --no-install-recommends "${missing[@]}"; then
  apt update
  apt install -y --no-install-recommends "${missing[@]}"
fi

mapfile -t missing < <(missing_packages)
[ "${#missing[@]}" -eq 0 ] || die "still missing after the installation: ${missing[*]}"
