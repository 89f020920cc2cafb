#!/usr/bin/env bash
# Usage: scripts/gallery.sh [SEED...]
# Writes measured and synthetic slices under each other to gallery/ (ignored by git), to be looked at: the generator is
# good when you need to look twice. The measured slice is not part of the project; where it is absent only synthetic ones
# are written.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
usage_if_asked "$@"

"$root/scripts/build.sh" release
cathoscope=$root/build/release/bin/cathoscope
measured=${CATHOSCOPE_TEST_DATA:-$root/../shared/data}/electrode_slices/example_xy.tif
[ $# -gt 0 ] || set -- 1 2 3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$root/gallery"

for seed in "$@"; do
  # A slab three voxels thick across the width of the published volume, its damage by the crack statistics.
  "$cathoscope" phantom --preset paper10 --seed "$seed" --set "shape=[655, 3, 2048]" --set plant.planted=false \
    --output "$scratch/$seed"
  "$python" "$root/scripts/gallery.py" "$scratch/$seed" "$measured" "$root/gallery/slice-$seed.png"
  say "$root/gallery/slice-$seed.png"
done
