#!/usr/bin/env bash
# Usage: scripts/test-package.sh [FOLDER]
# Makes the Debian package, installs it with everything it depends on into a fresh Debian 12 (debootstrap, in FOLDER, by
# default build/release/package-root, made anew and removed again), and takes the synthetic electrode of the demonstration
# to its report there: with nothing of this tree or this machine but the package. Needs root, the package debootstrap, a
# Debian mirror (CATHOSCOPE_MIRROR, default http://deb.debian.org/debian), 4 GB of disk and about ten minutes.
# CATHOSCOPE_KEEP_ROOT=1 keeps the folder; one that is there already is then used again.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

root_folder=${1:-$root/build/release/package-root}
mirror=${CATHOSCOPE_MIRROR:-http://deb.debian.org/debian}
keep=${CATHOSCOPE_KEEP_ROOT:-}
[ "$(id -u)" -eq 0 ] || die "a root of another system can only be made by root"
command -v debootstrap >/dev/null || die "debootstrap is not installed"

mounted=""
clean_up() {
  [ -z "$mounted" ] || umount "$root_folder/proc"
  [ -n "$keep" ] || rm -rf "$root_folder"
}
trap clean_up EXIT

"$root/scripts/build.sh" release --target cathoscope
packages=$root/build/release/packages
rm -rf "$packages"
cpack --config "$root/build/release/CPackConfig.cmake" -B "$packages" >&2
package=$(find "$packages" -maxdepth 1 -name 'cathoscope_*.deb')
[ -f "$package" ] || die "cpack made no package"

inside() { chroot "$root_folder" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }

if [ -z "$keep" ] || [ ! -e "$root_folder/etc/debian_version" ]; then
  say "a fresh Debian 12 in $root_folder"
  rm -rf "$root_folder"
  mkdir -p "$root_folder"
  debootstrap --variant=minbase bookworm "$root_folder" "$mirror" >&2
fi
mount -t proc proc "$root_folder/proc" # the program looks there for its own place
mounted=1

say "install $(basename "$package") and what it depends on"
cp "$package" "$root_folder/tmp/cathoscope.deb"
inside apt-get update -qq >&2
inside apt-get install -y -qq --no-install-recommends --reinstall /tmp/cathoscope.deb gnuplot-nox >&2

say "the demonstration, with the installed program"
inside sh -c 'command -v cc || command -v cmake' >&2 && die "this root has a compiler; it should have the package alone"
inside cathoscope --version
inside rm -rf /tmp/demo
inside mkdir -p /tmp/demo/configs /tmp/demo/runs
inside cp /usr/share/cathoscope/configs/demo.yaml /tmp/demo/configs/
inside cathoscope phantom --preset demo --output /tmp/demo/runs/demo-input
inside cathoscope run /tmp/demo/configs/demo.yaml
inside sh -c 'cd /tmp/demo/runs/demo && ls -l report.html ro-crate-metadata.json */attributes.csv && ls figures/*.svg | wc -l'
inside sh -c 'ls /tmp/demo/runs/demo/figures/*.svg >/dev/null' || die "no figure was drawn"
inside apt-get remove -y -qq cathoscope >&2
[ ! -e "$root_folder/usr/bin/cathoscope" ] || die "the program is still there after its removal"
say "done"
