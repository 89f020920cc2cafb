#!/usr/bin/env bash
# Usage: scripts/build.sh [PRESET] [BUILD OPTIONS...]
# Installs missing packages, then configures and builds a preset of CMakePresets.json (default: release).
# The program is build/PRESET/bin/cathoscope. Options go to cmake --build, e.g. --target cathoscope.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

preset=release
case "${1:-}" in
  "" | -*) ;;
  *)
    preset=$1
    shift
    ;;
esac

ensure_packages
configure "$preset"
compile "$preset" "$@"
say "built $root/build/$preset/bin/cathoscope"
